"""Frames that were made here, as videos and animated pictures."""

from fractions import Fraction

import av
import numpy as np
import pytest

from sakuga.errors import SakugaError, UsageError
from sakuga.video.frames import write_frames

LEVELS = (20, 120, 220, 70)


def frames():
    return (np.full((34, 50, 3), level, np.uint8) for level in LEVELS)


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.webm", "x.gif"])
def test_every_frame_is_there_at_its_time(tmp_path, name):
    write_frames(frames(), tmp_path / name, rate=Fraction(20))
    with av.open(str(tmp_path / name)) as video:
        found = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)]
    assert [round(20 * (time - found[0][0])) for time, _ in found] == [0, 1, 2, 3]
    assert found[0][1].shape == (34, 50, 3)
    for (_, picture), level in zip(found, LEVELS, strict=True):
        assert np.abs(picture.astype(int) - level).mean() < 4
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_cannot_be_leaves_nothing(tmp_path):
    with pytest.raises(UsageError, match=r"end it in \.mp4"):
        write_frames(frames(), tmp_path / "x.txt", rate=Fraction(20))
    (tmp_path / "x.mp4").write_bytes(b"precious")
    with pytest.raises(SakugaError, match="exists already"):
        write_frames(frames(), tmp_path / "x.mp4", rate=Fraction(20))

    def broken():
        yield from frames()
        raise SakugaError("the network failed")

    with pytest.raises(SakugaError, match="the network failed"):
        write_frames(broken(), tmp_path / "y.mp4", rate=Fraction(20))
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
    assert (tmp_path / "x.mp4").read_bytes() == b"precious"
