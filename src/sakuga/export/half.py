"""Weights in 16 bits: half the file, for networks that have no variant in whole numbers."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sakuga.errors import SakugaError
from sakuga.export.trace import example, open_model, sizes
from sakuga.systems.artefact import Artefact

TOLERANCE = 2e-3
"""How far results may move on average, of values in [-1, 1]: a quarter of a step of 8 bits."""
MIN_VALUES = 1024
"""Smaller weights stay as they are: there is nothing to gain."""


def halve(model: onnx.ModelProto, artefact: Artefact) -> None:
    """Keep a model's large weights as `narrow` does, where its results stay what they are.

    Raises SakugaError where a weight is too large for 16 bits or results move by more than TOLERANCE.
    """
    before = open_model(model)
    narrow(model)
    after = open_model(model)
    for seed, size in enumerate(sizes(artefact)):
        feeds = {name: value.numpy() for name, value in example(artefact, size, seed).items()}
        results = (session.run(["stylised"], feeds)[0] for session in (before, after))
        if not np.abs(np.subtract(*results)).mean() <= TOLERANCE:
            raise SakugaError("with weights of 16 bits results differ visibly: export without --half")


def narrow(model: onnx.ModelProto) -> None:
    """Keep a model's large weights as float16, which are made float32 when it is opened; it is changed.

    Raises SakugaError where a weight is too large for 16 bits.
    """
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type == TensorProto.FLOAT and np.prod(weight.dims) >= MIN_VALUES:
            name = weight.name
            values = numpy_helper.to_array(weight).astype(np.float16)
            if not np.isfinite(values).all():
                raise SakugaError(f"weight {name} is too large for 16 bits: export without --half")
            weight.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
