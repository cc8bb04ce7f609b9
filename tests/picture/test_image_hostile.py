"""Defects that the fuzz tests found in reading and writing pictures, each with what must happen instead."""

import io
import struct
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from drawn import RGB8, chunk, png16, save, smooth
from PIL import Image

from sakuga import picture as si
from sakuga.errors import SakugaError, TooLargeError
from sakuga.picture.quiet import quiet


def broken_tiff() -> bytes:
    """LZW data that Pillow warns of and libtiff complains about."""
    data = bytearray(save(Image.fromarray(RGB8), "TIFF", compression="tiff_lzw"))
    data[8:40] = b"\xff" * 32
    return bytes(data)


def test_a_psd_is_read() -> None:
    """Its frames count from 1; asking for frame 0 failed."""
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, *RGB8.shape[:2], 8, 3) + struct.pack(">IIIH", 0, 0, 0, 0)
    (frame,) = si.read(head + RGB8.transpose(2, 0, 1).tobytes()).frames
    np.testing.assert_array_equal(frame.rgb, RGB8)


def test_damage_is_said_once_and_by_us(tmp_path: Path) -> None:
    """Pillow's warnings and log and libtiff's messages stood between our own lines on standard error."""
    (tmp_path / "lzw.tif").write_bytes(broken_tiff())
    whole = save(Image.fromarray(RGB8), "TIFF")
    samples = whole.index(struct.pack("<HHI", 277, 3, 1)) + 8
    (tmp_path / "log.tif").write_bytes(whole[:samples] + struct.pack("<H", 999) + whole[samples + 2 :])
    (tmp_path / "short.tif").write_bytes(whole[:30])
    program = (
        "import sys\nfrom sakuga import picture as image\nfrom sakuga.errors import SakugaError\n"
        "for name in sys.argv[1:]:\n    try:\n        image.read(name)\n"
        "    except SakugaError:\n        print('said')\n"
    )
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([sys.executable, "-W", "always", "-c", program, *files], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["said"] * 3, "")


def test_warnings_of_others_are_not_swallowed() -> None:
    before = list(warnings.filters)
    with pytest.warns(UserWarning, match="ours"), quiet():
        warnings.warn("ours", stacklevel=1)
    both = threading.Barrier(2)

    def overlap(wait: float) -> None:
        with quiet():
            both.wait()
            threading.Event().wait(wait)

    threads = [threading.Thread(target=overlap, args=(wait,)) for wait in (0, 0.05)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    """Each takes a few bytes and a pass over the picture: 168 kB took 12 s, and 100 times that at the pixel limit."""
    data = save(Image.fromarray(smooth(16, 16)), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda\0")
    assert si.read(data[:-2] + data[at:-2] * 50 + data[-2:]).frames[0].rgb.shape == (16, 16, 3)
    with pytest.raises(SakugaError, match="more than 100 scans"):
        si.read(data[:-2] + data[at:-2] * 100 + data[-2:])


def test_scans_are_not_counted_in_what_is_no_scan() -> None:
    """A phone's film behind its photo holds the two bytes of the marker every 65,536 bytes."""
    data = save(Image.fromarray(RGB8), "JPEG")
    assert si.read(data + b"\xff\xda\x12\x34" * 200).frames[0].rgb.shape == RGB8.shape


def test_an_animation_of_too_many_frames_is_refused() -> None:
    """Of one pixel each they pass the limit of pixels, and take hours."""
    frame = b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    head = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6)
    with pytest.raises(TooLargeError, match="more than 10,000 frames"):
        si.read(head + frame * 10_001 + b";")
    with pytest.raises(TooLargeError, match="frames"):
        si.read(head + frame * 10_001 + b";", max_pixels=10**9)
    assert len(si.read(head + frame * 30 + b";").frames) == 30


@pytest.mark.parametrize("told", [16, 0])
def test_a_picture_within_an_icon_counts(told: int) -> None:
    """Pillow decodes it on opening, whatever size the icon says: the limit came too late."""
    inner = save(Image.new("RGB", (300, 200)), "PNG")
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, told, told, 0, 0, 1, 32, len(inner), 22) + inner
    assert si.read(icon, max_pixels=60000).frames[0].rgb.shape == (200, 300, 3)
    with pytest.raises(TooLargeError, match=r"300x200 pixels.*limit of 59,999"):
        si.read(icon, max_pixels=59999)


def test_a_jpeg_2000_whose_header_understates_its_size() -> None:
    data = save(Image.new("L", (300, 200)), "JPEG2000")
    lied = data.replace(struct.pack(">4sII", b"ihdr", 200, 300), struct.pack(">4sII", b"ihdr", 2, 3))
    assert lied != data
    with pytest.raises(TooLargeError, match="300x200"):
        si.read(lied, max_pixels=59999)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_resolution_that_no_format_holds_is_dropped(format: str) -> None:
    """The picture could be read and then not be written."""
    data = png16(RGB8.astype(np.uint16) * 257, chunk(b"pHYs", b"\xff" * 8 + b"\1"))
    picture = si.read(data)
    assert picture.dpi is None
    assert "dpi" not in Image.open(io.BytesIO(si.encode(picture, "PNG"))).info
    assert si.read(si.encode(picture, format)).frames[0].rgb.shape == RGB8.shape


def test_a_profile_that_is_a_number_is_none() -> None:
    """A TIFF can give its tag any type."""
    data = save(Image.fromarray(RGB8), "TIFF", icc_profile=b"\0" * 3)
    entry = struct.pack("<HHI", 34675, 7, 3)
    assert entry in data
    picture = si.read(data.replace(entry, struct.pack("<HHI", 34675, 4, 3)))
    np.testing.assert_array_equal(picture.frames[0].rgb, RGB8)
    assert picture.icc is None


def test_what_cannot_be_written_names_its_target(tmp_path: Path) -> None:
    with pytest.raises(SakugaError, match=r"wide\.webp: 20000x1 pixels cannot be written as WEBP"):
        si.write(si.read(np.zeros((1, 20000, 3), np.uint8)), tmp_path / "wide.webp")
    assert list(tmp_path.iterdir()) == []
