"""`-`: pictures from and to other programs."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shell import photo, process, tree


def test_standard_input_to_standard_output():
    before = photo("photo.png")
    done = process("-", "-s", "neg", input=Path("photo.png").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), 255 - before)
    assert tree() == ["photo.png"]


def test_standard_input_to_a_file_or_folder_and_a_file_to_standard_output():
    data = io.BytesIO()
    Image.fromarray(photo("photo.png")).save(data, "WEBP")
    done = process("-", "-s", "neg", "-o", "out.jpg", input=data.getvalue())
    assert done.stdout.decode().splitlines() == ["out.jpg"]
    done = process("-", "-s", "neg", "-o", "folder", input=data.getvalue())
    assert [Path(line) for line in done.stdout.decode().splitlines()] == [Path("folder/stdin.neg.webp")]
    again = process("-", "-s", "neg", "-o", "folder", input=data.getvalue())
    assert again.returncode == 1
    assert b"--overwrite" in again.stderr
    done = process("photo.png", "-s", "neg", "-o", "-", "--format", "jpeg")
    assert done.stdout.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("args", [["-", "photo.png"], ["-", "-"], [".", "-o", "-"], ["%d.png", "-o", "-"]])
def test_a_stream_is_one_picture(run, args):
    photo("photo.png")
    status, out, err = run(*args, "-s", "neg")
    assert (status, out) == (2, [])
    assert "- stands for one picture" in err


def test_standard_input_that_is_no_picture():
    for data in (b"", b"no picture"):
        done = process("-", "-s", "neg", input=data)
        assert (done.returncode, done.stdout) == (1, b"")
        assert re.fullmatch(rb"sakuga: [^\n]+\n", done.stderr)
