"""Styles that measure the whole picture, run in tiles: what they measure is measured once and given to every tile."""

from typing import TYPE_CHECKING

import numpy as np

from sakuga.errors import SakugaError
from sakuga.picture.pixels import Array
from sakuga.runtime.memory import ran_out
from sakuga.style.engine import Engine

if TYPE_CHECKING:
    from sakuga.style import Style


def freeze(style: "Style", threads: int | None, photo: Array) -> Engine:
    """Return an engine whose result at a pixel depends on its surroundings alone (`card.local_receptive_field`).

    `photo`: the picture that the statistics are measured on, (3, H, W) float32 in [-1, 1]: the whole one, or as much of
    it as there is memory for, reduced. The style's network has statistics, or looks no further than its card says.
    Raises SakugaError when the network fails, and whatever `ran_out` recognises when there is no memory.
    """
    session = style.session(threads)
    stylised, *statistics = (output.name for output in session.get_outputs())
    given = {}
    if statistics:
        try:
            (measured,) = session.run(statistics, {"image": photo[None], "measure": np.array(True)})
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if ran_out(error):
                raise
            raise SakugaError(f"style {style.name} cannot be run in tiles ({error}): export it again") from error
        given = {"frozen": np.array(True), "given": measured}

    def run(x: Array) -> Array:
        painted: Array = session.run([stylised], {"image": x[None], **given})[0][0]
        return painted

    return Engine("ONNX Runtime, tiles", "fp32", run)
