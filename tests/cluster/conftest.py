"""What several of these tests need."""

from fractions import Fraction

import av
import numpy as np
import pytest


@pytest.fixture
def make_film():
    """Return what writes a small film of so many frames, 25 a second."""

    def make(path, frames):
        with av.open(str(path), "w") as out:
            pictures = out.add_stream("libx264", rate=25)
            pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
            for number in range(frames):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 256, np.uint8), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(pictures.encode(frame))
            out.mux(pictures.encode())

    return make
