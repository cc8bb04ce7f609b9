"""Warping error: nothing for what is stable, the known amount for what is not; real clips."""

import av
import numpy as np
import pytest
from grown import grown
from PIL import Image

from sakuga.errors import SakugaError
from sakuga.evaluation.clip import read_clip
from sakuga.metrics.flicker import Motion, pan, pan_error


@pytest.fixture(scope="module")
def picture():
    small = np.random.default_rng(0).integers(40, 200, (14, 18, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((108, 84), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def motion(picture):
    return Motion(pan(picture, size=64, frames=4))


def flashing():
    """A style that is 10 levels brighter in every other frame."""
    turn = iter(range(100))
    return lambda frame: frame + np.uint8(10 * (next(turn) % 2))


def test_a_map_of_colours_is_stable_and_flashes_are_counted_exactly(picture):
    window = pan(picture, size=64, frames=4)
    assert [frame.shape for frame in window] == [(64, 64, 3)] * 4
    assert np.array_equal(window[0][1:, 3:], window[1][:-1, :-3])
    assert pan_error(lambda frame: 255 - frame, window) == 0
    assert pan_error(flashing(), window) == pytest.approx((10 / 255) ** 2, rel=1e-5)


def test_a_style_that_works_on_squares_of_four_is_found_out(picture):
    window = pan(picture, size=64, frames=3)
    assert pan_error(lambda f: f[::4, ::4].repeat(4, 0).repeat(4, 1), window) > 1e-4
    # One that enlarges moves twice as far.
    assert pan_error(lambda f: f.repeat(2, 0).repeat(2, 1), window) == 0


def test_a_pan_needs_room(picture):
    with pytest.raises(ValueError, match="70x66 or larger"):  # 64 + 2 · 3 wide, 64 + 2 · 1 high
        pan(picture[:64, :64], size=64, frames=3)


def test_estimated_motion_is_the_true_one(picture, motion):
    # The scene moves up and left, so what frame t shows was 1 lower and 3 further right.
    inner = motion.flows[0][:, 10:-10, 10:-10]
    assert np.median(inner[0]) == pytest.approx(1, abs=0.1)
    assert np.median(inner[1]) == pytest.approx(3, abs=0.1)
    assert not motion.masks[0][:, -3:].any()  # its right border was outside before
    assert motion.masks[0].mean() > 0.5


def test_noise_flickers_more_than_a_map_of_colours(picture, motion):
    window, rng = pan(picture, size=64, frames=4), np.random.default_rng(1)
    stable = motion.error([255 - frame for frame in window])
    noisy = motion.error([(f + rng.normal(0, 20, f.shape)).clip(0, 255).astype(np.uint8) for f in window])
    assert stable < 2e-4
    # Two independent noises of 20 levels; the warp averages a part of one away: between σ² and 2 σ².
    assert (20 / 255) ** 2 * 0.9 < noisy < 2.2 * (20 / 255) ** 2
    assert motion.error(list(map(flashing(), window))) == pytest.approx((10 / 255) ** 2, rel=0.1)


def write(path, frames, rate=10):
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream("libx264", rate=rate, options={"g": "4"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        writer.mux(stream.encode())
    return path


def test_a_clip_is_read_from_its_middle_and_reduced(tmp_path):
    frames = [np.full((96, 160, 3), 20 * i, np.uint8) for i in range(12)]
    clip = write(tmp_path / "Ünïcødé 写真 (1).mp4", frames)
    read = read_clip(clip, frames=3, side=48)
    assert [frame.shape for frame in read] == [(48, 80, 3)] * 3
    # The middle is frame 6; the last key frame before it is 4.
    assert [round(frame.mean() / 20) for frame in read] == [4, 5, 6]
    assert len(read_clip(clip, frames=50, side=48)) == 8


def test_the_frames_of_a_clip_have_one_size(tmp_path):
    with pytest.raises(SakugaError, match=r"the frames of .*a\.webm change their size at 0\.4 s"):
        read_clip(grown(tmp_path / "a.webm", (320, 240)), frames=12, side=48)
    joined = read_clip(grown(tmp_path / "a.ts", (320, 240), small=13, large=4, back=3), frames=7, side=48)
    assert [frame.shape for frame in joined] == [(48, 64, 3)] * 7  # its second half begins with a large one


def test_clips_that_are_none(tmp_path):
    with pytest.raises(SakugaError, match="two or more"):
        read_clip(write(tmp_path / "one.mp4", [np.zeros((64, 64, 3), np.uint8)]), frames=3, side=48)
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(SakugaError, match="not a video"):
        read_clip(tmp_path / "no.mp4", frames=3, side=48)
    with pytest.raises(SakugaError, match="does not exist"):
        read_clip(tmp_path / "none.mp4", frames=3, side=48)
