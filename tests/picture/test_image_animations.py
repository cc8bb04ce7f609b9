"""Frames, durations and loops."""

import io
import struct
import zlib
from dataclasses import replace

import av
import numpy as np
import pytest
from drawn import (
    AVIF,
    RGB8,
    chunk,
    closeness,
    moving_square,
    save,
    smooth,
)
from PIL import Image

from sakuga import picture as si
from sakuga.errors import SakugaError, TooLargeError
from sakuga.picture import Frame, Picture
from sakuga.picture.gif import parse

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


RED, HALF, BLUE, CLEAR = (255, 0, 0, 255), (255, 0, 0, 128), (0, 0, 255, 255), (0, 0, 0, 0)
KEEP, TO_NOTHING, TO_PREVIOUS = range(3)
PUT, OVER = range(2)


def apng(*parts: tuple[int, int, int, list[tuple[int, ...]]], number: int = 0) -> bytes:
    """An animated PNG of 2x1 pixels; of each frame what it leaves behind, how it is drawn, where, and its pixels."""
    data, first = b"", True
    for disposal, blend, left, row in parts:
        size = (number, len(row), 1, left, 0, 1, 10, disposal, blend)
        pixels = zlib.compress(b"\0" + b"".join(map(bytes, row)))
        packed = chunk(b"IDAT", pixels) if first else chunk(b"fdAT", struct.pack(">I", number + 1) + pixels)
        data += chunk(b"fcTL", struct.pack(">IIIIIHHBB", *size)) + packed
        number, first = number + (1 if first else 2), False
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 6, 0, 0, 0)) + chunk(
        b"acTL", struct.pack(">II", len(parts), 0)
    )
    return b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")


def shown(data: bytes) -> list[list[tuple[int, ...]]]:
    """What is seen of each frame: where nothing is, no colour."""
    frames = si.read(data).frames
    pixels = (np.dstack([frame.rgb, frame.alpha])[0].tolist() for frame in frames if frame.alpha is not None)
    return [[tuple(pixel) if pixel[3] else CLEAR for pixel in row] for row in pixels]


def test_a_half_clear_pixel_of_an_apng_stays_half_clear() -> None:
    data = apng((KEEP, PUT, 0, [CLEAR, RED]), (KEEP, OVER, 0, [HALF, BLUE]), (KEEP, OVER, 0, [HALF]))
    assert shown(data) == [[CLEAR, RED], [HALF, BLUE], [(255, 0, 0, 192), BLUE]]


def test_what_a_frame_of_an_apng_leaves_behind() -> None:
    blue = (0, OVER, 0, [BLUE])
    data = apng((KEEP, PUT, 0, [RED, CLEAR]), (TO_PREVIOUS, *blue[1:]), (TO_NOTHING, OVER, 1, [HALF]), blue)
    assert shown(data) == [[RED, CLEAR], [BLUE, CLEAR], [RED, HALF], [BLUE, CLEAR]]
    first = apng((TO_PREVIOUS, PUT, 0, [RED, RED]), (KEEP, PUT, 1, [BLUE]))
    assert shown(first) == [[RED, RED], [CLEAR, BLUE]]


def test_an_apng_that_is_out_of_order_is_its_first_picture() -> None:
    for data in (apng((KEEP, PUT, 0, [RED, CLEAR]), blue := (KEEP, PUT, 0, [BLUE]), number=7), apng(blue, blue)):
        assert len(si.read(data).frames) == 1
        assert si.read(data).note.startswith("its animation is damaged")


def test_a_jpeg_takes_the_first_frame() -> None:
    picture = Picture([Frame(a) for a in moving_square(False)], "GIF")
    (frame,) = si.read(si.encode(picture, "JPEG")).frames
    assert closeness(frame.rgb, picture.frames[0].rgb) < 8
    assert si.to_pil(picture).size == (32, 24)
    assert si.dropped(picture, "jpg") == "of its 5 frames a JPEG holds the first alone: write a GIF or WebP for all"
    assert si.dropped(picture, ".webp") == si.dropped(picture) == si.dropped(Picture(picture.frames[:1]), "jpg") == ""


def test_a_pillow_image_is_its_current_frame() -> None:
    images = [Image.fromarray(a) for a in moving_square(False)]
    opened = Image.open(io.BytesIO(save(images[0], "PNG", save_all=True, append_images=images[1:])))
    opened.seek(2)
    (frame,) = si.read(opened).frames
    np.testing.assert_array_equal(frame.rgb, np.asarray(images[2]))
    assert opened.tell() == 2


def test_first_picture_of_an_mpo() -> None:
    picture = si.read(save(Image.fromarray(RGB8), "MPO", save_all=True, append_images=[Image.new("RGB", (5, 5))]))
    assert [frame.rgb.shape for frame in picture.frames] == [RGB8.shape]
    assert picture.format == "JPEG"


def test_all_pages_of_a_tiff() -> None:
    """Of any size, mode and depth, as Pillow and we write them, with the metadata of the first."""
    deep = smooth(9, 7, 3, np.uint16)
    pages = [Image.fromarray(RGB8), Image.new("L", (5, 4), 7), Image.new("RGBA", (3, 2), (1, 2, 3, 99))]
    exif = Image.Exif()
    exif[0x010F] = "maker"
    data = save(pages[0], "TIFF", save_all=True, append_images=pages[1:], exif=exif, dpi=(72, 72))
    assert si.read_header(data) == ("TIFF", *RGB8.shape[1::-1], 3)
    assert len(si.read(data, still=True).frames) == 1
    picture = si.read(data)
    picture = replace(picture, frames=[*picture.frames, Frame(deep)])
    written = si.encode(picture)
    for index, page in enumerate(pages):
        reference = Image.open(io.BytesIO(written))
        assert reference.n_frames == 4  # type: ignore[attr-defined]
        reference.seek(index)
        shown = np.asarray(reference.convert("RGBA"))
        np.testing.assert_array_equal(shown[..., :3], np.asarray(page.convert("RGB")))
    again = si.read(written)
    for before, after in zip(picture.frames, again.frames, strict=True):
        np.testing.assert_array_equal(before.rgb, after.rgb)
        assert (before.alpha is None) == (after.alpha is None)
    assert again.frames[3].rgb.dtype == np.uint16
    assert (again.dpi, Image.open(io.BytesIO(written)).getexif()[0x010F]) == ((72, 72), "maker")


def test_pages_do_not_become_an_animation() -> None:
    picture = Picture([Frame(RGB8), Frame(RGB8[:4, :3])], "TIFF")
    for format in ("PNG", "GIF", "WEBP", "JPEG"):
        assert len(si.read(si.encode(picture, format)).frames) == 1
        expected = f"of its 2 pages a {format} holds the first alone: write a TIFF for all"
        assert si.dropped(picture, format) == expected
    assert si.dropped(picture) == ""


def test_pages_count_for_the_limit_of_pixels() -> None:
    data = save(Image.new("L", (5, 5)), "TIFF", save_all=True, append_images=[Image.new("L", (50, 40))])
    assert len(si.read(data, max_pixels=2025).frames) == 2
    with pytest.raises(TooLargeError, match=r"in 2 frames, 2,025 in all"):
        si.read(data, max_pixels=2024)


@pytest.mark.parametrize(("use", "count"), [(0, 2), (1, 1), (2, 2), (4, 1)])
def test_thumbnails_and_masks_are_no_pages(use: int, count: int) -> None:
    second = Image.new("RGB", (5, 5))
    second.encoderinfo = {"tiffinfo": {254: use}}  # type: ignore[attr-defined]
    data = save(Image.fromarray(RGB8), "TIFF", save_all=True, append_images=[second])
    assert len(si.read(data).frames) == si.read_header(data).frames == count


def sticker() -> list[np.ndarray]:
    """A circle that moves over nothing, and in the second of four frames over green: RGBA."""
    y, x = np.mgrid[:40, :60]
    frames = []
    for index in range(4):
        inside = (x - 10 - 12 * index) ** 2 + (y - 20) ** 2 < 64
        frame = np.zeros((40, 60, 4), np.uint8)
        frame[...] = (40, 160, 60, 255) if index == 1 else 0
        frame[inside] = 220, 60, 30, 255
        frames.append(frame)
    return frames


def gif(patches: list[tuple[int, int, np.ndarray, int]], size: tuple[int, int], background: int = 0) -> bytes:
    """A GIF of patches (left, top, indices (h, w), disposal) in four colours; 3 is transparent where it is used."""
    data = b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, background, 0) + bytes(PALETTE.ravel())
    for left, top, indices, disposal in patches:
        data += b"!\xf9\4" + bytes([disposal << 2 | int((indices == 3).any()), 5, 0, 3, 0])
        data += b"," + struct.pack("<HHHHB", left, top, *indices.shape[::-1], 0) + b"\7"  # 8-bit codes of 9 bits
        codes = [256]
        for index in indices.ravel():  # the table is cleared before its codes get longer
            codes += [int(index), 256]
        bits = sum(code << 9 * i for i, code in enumerate([*codes, 257]))
        packed = bits.to_bytes((9 * (len(codes) + 1) + 7) // 8, "little")
        data = data[:-1] + b"\x08"
        data += b"".join(bytes([len(packed[i : i + 255])]) + packed[i : i + 255] for i in range(0, len(packed), 255))
        data += b"\0"
    return data + b";"


PALETTE = np.array([[40, 160, 60], [220, 60, 30], [20, 20, 200], [0, 0, 0]], np.uint8)


@pytest.mark.parametrize("background", [0, 3])
@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_what_a_gif_frame_leaves_behind_is_nothing_or_what_was(disposal: int, background: int) -> None:
    """Also where the frame is opaque: browsers know no background colour."""
    whole, dot = np.zeros((6, 8), np.uint8), np.full((2, 3), 1, np.uint8)
    clear = np.full((6, 8), 3, np.uint8)
    clear[0, 0] = 2
    data = gif([(0, 0, clear, 1), (0, 0, whole, disposal), (4, 3, dot, 1)], (8, 6), background)
    under = {0: whole, 1: whole, 2: np.full((6, 8), 3), 3: clear}[disposal].copy()
    under[3:5, 4:7] = 1
    frames = si.read(data).frames
    assert [frame.duration for frame in frames] == [50] * 3
    for frame, indices in zip(frames, (clear, whole, under), strict=True):
        assert frame.alpha is not None
        np.testing.assert_array_equal(frame.alpha, np.where(indices == 3, 0, 255))
        np.testing.assert_array_equal(frame.rgb[indices != 3], PALETTE[indices[indices != 3]])


def test_a_gif_frame_beside_its_canvas() -> None:
    whole, dot = np.zeros((6, 8), np.uint8), np.full((2, 3), 1, np.uint8)
    _, corner, away = si.read(gif([(0, 0, whole, 1), (7, 5, dot, 2), (20, 20, dot, 1)], (8, 6))).frames
    assert corner.rgb.shape == (6, 8, 3)
    assert (corner.rgb[5, 7] == PALETTE[1]).all()
    assert away.alpha is not None
    assert (away.alpha == 0).sum() == 1


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_an_opaque_frame_among_transparent_ones_in_every_viewer(format: str) -> None:
    """Pillow, libav and we show the frames that were written, whatever each thinks of backgrounds."""
    expected = sticker()
    picture = Picture([Frame(f[..., :3], f[..., 3], 200) for f in expected], "GIF")
    data = si.encode(replace(picture, lossless=True), format)
    ours = [frame.alpha for frame in si.read(data).frames]
    opened = Image.open(io.BytesIO(data))
    pillow, libav = [], []
    for index in range(4):
        opened.seek(index)
        pillow.append(np.asarray(opened.convert("RGBA")).copy())
    if format != "WEBP":  # which it does not decode when it moves
        with av.open(io.BytesIO(data)) as file:
            libav = [frame.to_ndarray(format="rgba") for frame in file.decode(video=0)]
    for index, frame in enumerate(expected):
        for shown in (pillow, *([libav] if libav else [])):
            np.testing.assert_array_equal(shown[index][..., 3], frame[..., 3])
            np.testing.assert_array_equal(shown[index][frame[..., 3] > 0], frame[frame[..., 3] > 0])
        mine = ours[index]
        assert mine is not None
        np.testing.assert_array_equal(mine, frame[..., 3])


@pytest.mark.parametrize("stand_in", [False, True])
def test_a_damaged_animation_is_its_first_picture(stand_in: bool) -> None:
    """As other viewers show it; but what is cut off is refused."""
    images = [Image.fromarray(a) for a in moving_square(False)]
    first, rest = (Image.new("RGB", (32, 24), "red"), images) if stand_in else (images[0], images[1:])
    data = save(first, "PNG", save_all=True, append_images=rest, default_image=stand_in, duration=50)
    at = data.index(b"fcTL", data.index(b"fdAT")) - 4  # of the second frame at the latest
    control = bytearray(data[at + 8 : at + 34])
    control[3] += 5  # the number in the sequence
    gap = data[:at] + chunk(b"fcTL", bytes(control)) + data[at + 38 :]
    picture = si.read(gap)
    (frame,) = picture.frames
    np.testing.assert_array_equal(frame.rgb, np.asarray(first))
    assert frame.duration == 0
    assert picture.note.startswith("its animation is damaged (")
    assert si.read(data).note == ""
    with pytest.raises(SakugaError):
        si.read(gap[:-20])


def test_a_damaged_frame_of_a_gif() -> None:
    data = si.encode(Picture([Frame(f[..., :3], f[..., 3], 200) for f in sticker()], "GIF"))
    (first, *_), _ = parse(data)
    second = data.index(b"!\xf9\4", data.index(first.pixels) + len(first.pixels))
    block = data.index(b",", second) + 10 + 768  # the size of codes
    picture = si.read(data[:block] + b"\x0d" + data[block + 1 :])
    assert len(picture.frames) == 1
    assert "animation is damaged" in picture.note


def test_a_first_frame_of_grays_leaves_the_others_their_colours() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = np.dstack([ramp] * 3), np.dstack([ramp, 255 - ramp, 0 * ramp]), np.dstack([ramp.T] * 3)
    file = io.BytesIO()
    first, second, third = map(Image.fromarray, (ramp, *frames[1:]))
    first.save(file, "GIF", save_all=True, append_images=[second, third], duration=50)
    for read, written in zip(si.read(file.getvalue()).frames, frames, strict=True):
        assert np.array_equal(read.rgb, written)


def test_frames_that_are_alike_are_shown_as_long_as_a_gif_can_say() -> None:
    """Pillow makes one of them, whose time has 16 bits of hundredths."""
    still, other = np.zeros((8, 9, 3), np.uint8), np.full((8, 9, 3), 255, np.uint8)
    frames = [Frame(still, duration=400_000), Frame(still, duration=400_000), Frame(other, duration=40)]
    shown = si.read(si.encode(Picture(frames, format="GIF"))).frames
    assert [frame.duration for frame in shown] == [655_350, 40]


def test_what_no_frame_of_a_webp_draws_is_clear() -> None:
    """libwebp does not say so, because what it draws of each frame is opaque."""
    frames = []
    for place in (4, 20):
        rgba = np.zeros((32, 32, 4), np.uint8)
        rgba[place : place + 8, place : place + 8] = 200, 30, 30, 255
        frames.append(rgba)
    file = io.BytesIO()
    first, second = (Image.fromarray(rgba) for rgba in frames)
    first.save(file, "WEBP", save_all=True, append_images=[second], duration=100, lossless=True)
    again = si.read(file.getvalue())
    for picture in (again, si.read(si.encode(again, "WEBP"))):
        for frame, rgba in zip(picture.frames, frames, strict=True):
            assert frame.alpha is not None
            np.testing.assert_array_equal(frame.alpha, rgba[..., 3])
    assert Image.open(io.BytesIO(si.encode(again, "WEBP"))).mode == "RGBA"
    plain = si.encode(replace(again, frames=[replace(frame, alpha=None) for frame in again.frames]), "WEBP")
    assert all(frame.alpha is None for frame in si.read(plain).frames)
