"""A trained network becomes a style: one ONNX file with its card, checked against the network it came from."""

import base64
import copy
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import helper
from torch import Tensor, nn

from sakuga import __version__
from sakuga.errors import SakugaError
from sakuga.export.context import GivenContext, ThumbnailEncoder
from sakuga.export.int8 import QUANTIZABLE, Fold, int8_variant
from sakuga.export.tileable import make_tileable, opened, reach
from sakuga.networks.context import ContextGenerator
from sakuga.runtime.atomic import atomic
from sakuga.style import CONTEXT, INT8, KEY, Card, Style, read
from sakuga.style.checksum import digest
from sakuga.style.context import THUMBNAIL

if TYPE_CHECKING:
    from sakuga.systems.base import System

TOLERANCE = 1e-4
SIZES = ((64, 64), (96, 160), (192, 128))


class _Clipped(nn.Module):
    """A style's output lies in [-1, 1], whatever its network's last layer is."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, *given: Tensor) -> Tensor:
        stylised: Tensor = self.network(image, *given)
        return stylised.clamp(-1, 1)


def export(
    network: nn.Module,
    target: Path,
    *,
    system: "System",
    name: str,
    title: str | None = None,
    licence: str = "not stated",
    data: list[dict[str, str]] | None = None,
    overwrite: bool = False,
    photos: Sequence[Path] = (),
) -> Style:
    """Write `network` as the style file `target`, for pictures of any size.

    Args:
        network: the system's output network or its average; what `system.runnable` makes of it maps (N, 3, H, W) in
            [-1, 1] to the same, and its `multiple` and `receptive_field` go into the card.
        target: the `.onnx` file; written whole or not at all.
        system: what trained it; its name, config and sources go into the card.
        name: by which the style will be called.
        title: for people; the name by default.
        licence: of the style itself.
        data: what it was trained on, as dictionaries of `name`, `licence`, `use`; the system's sources by default.
        overwrite: replace an existing file.
        photos: a fast generator's int8 variant is calibrated on these and goes into the file; without any it is left
            out.

    Raises:
        SakugaError: the file exists or cannot be written, or ONNX Runtime disagrees with torch by more than 1e-4,
            or int8 by more than 0.01 on average.
    """
    plain = copy.deepcopy(network).eval().cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    plain = system.runnable(plain)
    shown = GivenContext(plain, photos) if isinstance(plain, ContextGenerator) else plain
    network = _Clipped(shown).eval()
    multiple = int(getattr(network.network, "multiple", 1))
    scale = int(getattr(network.network, "scale", 1))
    # Sizes that the network can be run on, of what it makes: those of SIZES rounded up, or other ones where they would
    # all be one.
    sizes = [tuple(-(-side // scale // multiple) * multiple for side in size) for size in SIZES]
    if multiple > 64:
        sizes = [(multiple, multiple), (multiple, 2 * multiple), (2 * multiple, multiple)]
    receptive_field, local = int(getattr(network.network, "receptive_field", 0)), 0
    given = {"context": shown.default} if isinstance(shown, GivenContext) else {}
    model = trace(network, sizes[0], **given)
    if not receptive_field:
        make_tileable(model, sizes[0])
    _check_parity(model, network, sizes)
    if not receptive_field:
        local = reach(model, multiple=multiple, scale=scale)
    card = Card(
        name=name,
        title=title or name,
        system=system.name,
        config=_shareable(asdict(system.config)),
        data=data if data is not None else system.sources(),
        licence=licence,
        multiple=multiple,
        receptive_field=receptive_field,
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        sha256=weights_sha256(model),
        scale=scale,
        match_histogram=bool(getattr(network.network, "match_histogram", False)),
        local_receptive_field=local,
    )
    texts = {KEY: card.to_json()}
    folds: list[Fold] = []
    if photos and isinstance(plain, QUANTIZABLE):
        int8, folds = int8_variant(plain, photos)
        texts[INT8] = base64.b64encode(int8).decode()
    if isinstance(plain, ContextGenerator):
        texts[CONTEXT] = base64.b64encode(trace_encoder(ThumbnailEncoder(plain, folds)).SerializeToString()).decode()
    helper.set_model_props(model, texts)
    with atomic(target, overwrite=overwrite) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return read(target)


def weights_sha256(model: onnx.ModelProto) -> str:
    """SHA-256 over all weights of a model, by name, shape and value: the same weights give the same sum."""
    inputs = {entry.name for entry in model.graph.input}  # which may have defaults; those are no weights
    weights = (tensor for tensor in model.graph.initializer if tensor.name not in inputs)
    return digest((tensor.name, onnx.numpy_helper.to_array(tensor)) for tensor in weights)


def trace(network: nn.Module, size: Sequence[int] = SIZES[0], **given: Tensor) -> onnx.ModelProto:
    """Return a network (N, 3, H, W) as an ONNX model for one picture of any size; `size` is one it can be run on.

    `given`: further inputs of the network by name and their values where nothing is given.
    """
    axes = {"image": {2: "height", 3: "width"}, "stylised": {2: "out_height", 3: "out_width"}}
    inputs = {"image": torch.zeros(1, 3, *size), **given}
    model = _trace(network, inputs, ["stylised"], axes)
    for name, default in given.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(default.numpy(), name))  # an input with a default
    return model


def trace_encoder(encoder: ThumbnailEncoder) -> onnx.ModelProto:
    """Return what makes a context of a thumbnail as an ONNX model."""
    thumbnail = torch.zeros(1, THUMBNAIL, THUMBNAIL, 3, dtype=torch.uint8)
    return _trace(encoder, {"thumbnail": thumbnail}, encoder.names, {})


def _trace(
    network: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str], axes: dict[str, dict[int, str]]
) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            buffer,  # type: ignore[arg-type]
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())


def _check_parity(model: onnx.ModelProto, network: nn.Module, sizes: Sequence[tuple[int, ...]]) -> None:
    """Demand that ONNX Runtime comes within 1e-4 of the network in double precision, or as near as torch itself does.

    A network whose last layer is linear may reach values of hundreds on noise, of which single precision knows no more.
    """
    session = opened(model)
    generator = torch.Generator().manual_seed(0)
    exact = copy.deepcopy(network).double()
    for size in sizes:
        image = torch.rand(1, 3, *size, generator=generator) * 2 - 1
        with torch.inference_mode():
            wanted = exact(image.double()).numpy()
            own = float(np.abs(network(image).numpy() - wanted).max())
        found = session.run(["stylised"], {"image": image.numpy()})
        if len(session.get_outputs()) > 1:  # given its own statistics, it must paint the same
            _, given = session.run(None, {"image": image.numpy(), "measure": np.array(True)})
            found += session.run(["stylised"], {"image": image.numpy(), "frozen": np.array(True), "given": given})
        limit = max(TOLERANCE, 2 * own)
        if any(one.shape != wanted.shape or not np.abs(one - wanted).max() <= limit for one in found):
            raise SakugaError(
                f"the exported network differs from the trained one at {size[1]}x{size[0]}; not exported."
            )


def _shareable(config: dict[str, Any]) -> dict[str, Any]:
    """A config for the card: JSON values, and of paths the last part only."""
    plain: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Path) or (isinstance(value, str) and ":" not in value):
            value = Path(value).name
        elif isinstance(value, (list, tuple)):
            value = [v.name if isinstance(v, Path) else v for v in value]
        plain[key] = value
    return plain
