"""Video: size, rotation and colours."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import BT601, BT709, FRAMES, QUADRANTS, check_same_times_and_sound, left_over, make, quadrants, read, same

from sakuga.video import stylize_video
from sakuga.video.camera import Reducer


def keeping(seen):
    """What paints nothing and keeps what it was given."""

    def paint(rgb):
        seen.append(rgb)
        return rgb

    return paint


@pytest.mark.parametrize("size", [(63, 48), (64, 47), (63, 47), (2, 2), (17, 33)])
def test_exact_size(tmp_path, size):
    source, target = make(tmp_path / "a.mp4", size=size, pix_fmt="yuv444p", sounds=()), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    _, after = check_same_times_and_sound(source, target)
    assert after.stream["size"] == size
    assert after.stream["pix_fmt"] == ("yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p")
    assert after.frames[0].shape == (size[1], size[0], 3)


@pytest.mark.parametrize(
    ("size", "max_side", "wanted"),
    [((64, 48), 32, (32, 24)), ((64, 48), 31, (30, 22)), ((48, 64), 40, (30, 40)), ((64, 48), 64, (64, 48))],
)
def test_max_side(tmp_path, size, max_side, wanted):
    source, target = make(tmp_path / "a.mp4", size=size, sounds=()), tmp_path / "b.mp4"
    shapes = set()

    def paint(rgb):
        shapes.add(rgb.shape)
        return rgb

    stylize_video(source, target, paint, max_side=max_side)
    assert read(target).stream["size"] == wanted
    assert shapes == {(wanted[1], wanted[0], 3)}


@pytest.mark.parametrize("turn", [90, -90, 180])
def test_rotated_video_is_painted_and_shown_upright(tmp_path, turn):
    source, target = make(tmp_path / "a.mp4", turn=turn, aspect=Fraction(4, 3), sounds=()), tmp_path / "b.mp4"
    before = read(source)
    assert before.stream["turn"] % 360 == turn % 360, "the clip does not test what it is meant to"
    upright = np.rot90(quadrants(), turn // 90)  # FFmpeg's rotation is counter-clockwise, as NumPy's
    seen = []
    stylize_video(source, target, keeping(seen))
    after = read(target)
    assert np.abs(seen[0].astype(int) - upright).mean() < 4
    assert after.stream["turn"] == 0
    assert after.frames[0].shape == upright.shape
    assert np.abs(after.frames[0].astype(int) - upright).mean() < 4
    assert after.stream["aspect"] == (Fraction(4, 3) if turn == 180 else Fraction(3, 4))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_every_orientation_is_shown_as_its_matrix_says(tmp_path, turn, flip):
    """FFmpeg turns a frame by the angle, then mirrors left and right; NumPy does the same here, by other means."""
    source = make(tmp_path / "a.mp4", turn=turn, flip=flip, times=range(2), sounds=())
    upright = np.rot90(quadrants(), turn // 90)
    upright = upright[:, ::-1] if flip else upright
    stylize_video(source, tmp_path / "b.mp4", same)
    after = read(tmp_path / "b.mp4")
    assert after.stream["turn"] == 0
    assert after.frames[0].shape == upright.shape
    assert np.abs(after.frames[0].astype(int) - upright).mean() < 6
    reduced = Reducer(640)(next(av.open(str(source)).decode(video=0)))
    assert np.abs(reduced.astype(int) - upright).mean() < 6


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_are_converted_by_the_matrix_and_range_of_the_source(tmp_path, matrix, full_range):
    source = make(tmp_path / "a.mp4", matrix=matrix, full_range=full_range, sounds=())
    target = tmp_path / "b.mp4"
    seen = []
    stylize_video(source, target, keeping(seen))
    after = read(target)
    assert (after.stream["matrix"], after.stream["range"]) == (matrix, 1)
    for y, x, colour in zip((10, 10, 36, 36), (14, 50, 14, 50), QUADRANTS, strict=True):  # away from the edges
        assert seen[0][y, x].astype(int) == pytest.approx(colour, abs=4)  # another matrix would be off by 10 to 20
        assert after.frames[0][y, x].astype(int) == pytest.approx(colour, abs=6)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), BT601), ((64, 720), BT709)])
def test_an_unnamed_matrix_is_the_one_for_the_height_and_is_named_in_the_result(tmp_path, size, matrix):
    source = make(tmp_path / "a.mp4", size=size, matrix=2, times=range(2), sounds=())
    stylize_video(source, tmp_path / "b.mp4", same)
    assert read(source).stream["matrix"] == 2
    assert read(tmp_path / "b.mp4").stream["matrix"] == matrix


def test_a_style_that_enlarges_makes_a_larger_video(tmp_path):
    source = make(tmp_path / "in.mp4")
    stylize_video(source, tmp_path / "out.mp4", lambda rgb: rgb.repeat(2, 0).repeat(2, 1), scale=2)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == FRAMES
    assert frames[0].shape == (96, 128, 3)
    np.testing.assert_allclose(frames[0][24, 32], QUADRANTS[0], atol=12)


def test_stylize_of_another_shape_is_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="stylize"):
        stylize_video(make(tmp_path / "a.mp4"), tmp_path / "b.mp4", lambda rgb: rgb[:10])
    assert left_over(tmp_path) == {"a.mp4"}
