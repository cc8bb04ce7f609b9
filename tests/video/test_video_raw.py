"""`sakuga pipe`: raw frames between programs."""

import io
import shlex
import shutil
import subprocess
import sys

import av
import numpy as np
import pytest

from sakuga.errors import UsageError
from sakuga.video.raw import RawSource


@pytest.fixture
def pipe(made_style, tmp_path):
    """Return a function that sends bytes through the command and returns status, output and errors."""
    style = made_style("invert")

    def pipe(data: bytes, *args: str):
        command = [sys.executable, "-m", "sakuga", "pipe", "-s", str(style), "--precision", "fp32", *args]
        done = subprocess.run(command, input=data, capture_output=True, check=False, cwd=tmp_path)
        assert b"Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr.decode()

    return pipe


def test_every_frame_comes_out_in_order(pipe):
    frames = np.random.default_rng(0).integers(0, 256, (9, 70, 90, 3), np.uint8)
    status, out, err = pipe(frames.tobytes(), "--size", "90x70")
    assert (status, err) == (0, "")
    assert np.abs(np.frombuffer(out, np.uint8).reshape(frames.shape).astype(int) - (255 - frames)).max() <= 1


def test_planes_of_video(pipe):
    """Gray in limited range: 16 is black and 235 white, 128 no colour."""
    luma = np.repeat(np.array([16, 60, 126, 235], np.uint8), 64 * 64).reshape(4, -1)
    colour = np.full((4, 64 * 32), 128, np.uint8)
    status, out, _ = pipe(np.concatenate([luma, colour], axis=1).tobytes(), "--size", "64x64", "--pix-fmt", "yuv420p")
    planes = np.frombuffer(out, np.uint8).reshape(4, -1)
    assert status == 0
    assert np.abs(planes[:, : 64 * 64].astype(int) - (251 - luma.astype(int))).max() <= 1
    assert np.abs(planes[:, 64 * 64 :].astype(int) - 128).max() <= 1


def test_a_stream_that_ends_within_a_frame(pipe):
    status, out, err = pipe(bytes(64 * 64 * 3 + 5), "--size", "64x64")
    assert (status, len(out)) == (1, 64 * 64 * 3)
    assert err == (
        "sakuga: standard input ends within a frame, 5 bytes of 12288: compare --size and --pix-fmt with what is sent\n"
    )


def test_no_frame_is_no_failure(pipe):
    assert pipe(b"", "--size", "64x64") == (0, b"", "")


@pytest.mark.parametrize("args", [["--size", "64"], ["--size", "0x3"], ["--size", "8x8", "--max-side", "4"]])
def test_wrong_usage(pipe, args):
    status, out, err = pipe(b"", *args)
    assert (status, out, err.count("\n")) == (2, b"", 1)


def test_odd_sides_have_no_halves():
    with pytest.raises(UsageError, match="send rgb24"):
        RawSource(io.BytesIO(), 3, 4, "yuv420p")
    source = RawSource(io.BytesIO(b"?"), 3, 4)
    assert (list(source.frames()), source.left, source.frame_bytes) == ([], 1, 36)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="there is no ffmpeg")
def test_between_two_of_ffmpeg(made_style, tmp_path):
    """The recipe of the docs: a red clip comes out of a style that inverts as cyan."""
    size = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
    recipe = [
        f"ffmpeg -v error -f lavfi -i color=red:64x48:d=0.4 {shlex.join(size)} -",
        f"{shlex.quote(sys.executable)} -m sakuga pipe --size 64x48 --pix-fmt yuv420p -s {made_style('invert')}",
        f"ffmpeg -v error {shlex.join(size)} -s 64x48 -r 25 -i - out.mkv",
    ]
    subprocess.run(["sh", "-c", " | ".join(recipe)], check=True, cwd=tmp_path)
    with av.open(tmp_path / "out.mkv") as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(frames) == 10
    assert np.abs(np.mean(frames, axis=(0, 1, 2)) - [0, 255, 255]).max() < 8
