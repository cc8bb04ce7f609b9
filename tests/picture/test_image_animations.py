"""Frames, durations and loops."""

import io
from dataclasses import replace

import numpy as np
import pytest
from drawn import (
    AVIF,
    RGB8,
    closeness,
    moving_square,
    save,
    smooth,
)
from PIL import Image

from sakuga import picture as si
from sakuga.picture import Frame, Picture

DURATIONS = [100, 40, 250, 20, 330]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("loop", [0, 1, 4])
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", AVIF])
def test_animations_keep_frames_durations_and_loop(format: str, alpha: bool, loop: int) -> None:
    arrays = moving_square(alpha)
    frames = [
        Frame(si.read(a).frames[0].rgb, a[..., 3] if alpha else None, d) for a, d in zip(arrays, DURATIONS, strict=True)
    ]
    data = si.encode(Picture(frames, "GIF", loop=loop, lossless=True), format)
    again = si.read(data)
    assert [frame.duration for frame in again.frames] == DURATIONS
    assert again.loop == (loop if format != "AVIF" else 0)  # an AVIF does not say
    for frame, values in zip(again.frames, arrays, strict=True):
        seen = np.full(values.shape[:2], True)
        if alpha:
            np.testing.assert_array_equal(frame.alpha, values[..., 3])
            seen = values[..., 3] > 0
        error = np.abs(frame.rgb[seen].astype(int) - values[..., :3][seen])
        assert error.max() == 0 if format != "AVIF" else error.mean() < 5


@pytest.mark.parametrize("disposal", [1, 2, 3])
def test_gif_frames_are_composited(disposal: int) -> None:
    """Frames that Pillow stored as patches with each disposal come out as the whole pictures they were."""
    arrays = moving_square(True)
    images = [Image.fromarray(a) for a in arrays]
    options = {"save_all": True, "append_images": images[1:], "duration": DURATIONS, "disposal": disposal}
    picture = si.read(save(images[0], "GIF", **options))
    reference = Image.open(io.BytesIO(save(images[0], "GIF", **options)))
    assert len(picture.frames) == 5
    assert picture.loop == 1
    for index, frame in enumerate(picture.frames):
        reference.seek(index)
        expected = np.asarray(reference.convert("RGBA"))
        np.testing.assert_array_equal(frame.alpha, expected[..., 3])
        np.testing.assert_array_equal(frame.rgb[frame.alpha > 0], expected[frame.alpha > 0][:, :3])
        if disposal == 2:
            np.testing.assert_array_equal(frame.alpha, arrays[index][..., 3])


def test_gif_palette_is_each_frames_own() -> None:
    frames = [Frame(np.roll(smooth(64, 64), i, axis=2)) for i in range(3)]
    again = si.read(si.encode(Picture([replace(f, duration=50) for f in frames], "GIF")))
    for before, after in zip(frames, again.frames, strict=True):
        assert closeness(before.rgb, after.rgb) < 8  # 4096 colours in 255


def test_gif_rounding_does_not_add_up() -> None:
    frames = [Frame(np.full((8, 8, 3), 20 * i, np.uint8), duration=1000 / 30) for i in range(10)]
    again = si.read(si.encode(Picture(frames, "GIF")))
    assert abs(sum(frame.duration for frame in again.frames) - 10 * 1000 / 30) <= 5


def test_apng_stand_in_is_not_a_frame() -> None:
    images = [Image.fromarray(a) for a in moving_square(False)]
    data = save(Image.new("RGB", (32, 24)), "PNG", save_all=True, default_image=True, append_images=images, duration=50)
    picture = si.read(data)
    assert len(picture.frames) == 5
    np.testing.assert_array_equal(picture.frames[0].rgb, np.asarray(images[0]))


def test_still_formats_take_the_first_frame() -> None:
    frames = [Frame(a) for a in moving_square(False)]
    for format in ("TIFF", "JPEG"):
        (frame,) = si.read(si.encode(Picture(frames), format)).frames
        assert closeness(frame.rgb, frames[0].rgb) < 8
    assert si.to_pil(Picture(frames)).size == (32, 24)


def test_a_pillow_image_is_its_current_frame() -> None:
    images = [Image.fromarray(a) for a in moving_square(False)]
    opened = Image.open(io.BytesIO(save(images[0], "PNG", save_all=True, append_images=images[1:])))
    opened.seek(2)
    (frame,) = si.read(opened).frames
    np.testing.assert_array_equal(frame.rgb, np.asarray(images[2]))
    assert opened.tell() == 2


def test_first_picture_of_several_pages() -> None:
    other = Image.new("RGB", (5, 5))
    for format in ("TIFF", "MPO"):
        picture = si.read(save(Image.fromarray(RGB8), format, save_all=True, append_images=[other]))
        assert len(picture.frames) == 1
        assert picture.frames[0].rgb.shape == RGB8.shape
        assert picture.format == {"MPO": "JPEG"}.get(format, format)


def test_a_first_frame_of_grays_leaves_the_others_their_colours() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = np.dstack([ramp] * 3), np.dstack([ramp, 255 - ramp, 0 * ramp]), np.dstack([ramp.T] * 3)
    file = io.BytesIO()
    first, second, third = map(Image.fromarray, (ramp, *frames[1:]))
    first.save(file, "GIF", save_all=True, append_images=[second, third], duration=50)
    for read, written in zip(si.read(file.getvalue()).frames, frames, strict=True):
        assert np.array_equal(read.rgb, written)
