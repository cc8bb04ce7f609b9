"""The process that meets the broken files: each goes the way of a user's file, and what became of it is told.

    python worker.py MEBIBYTES    reads one JSON object {"path": ..., "target": ...} a line, answers with one a line

Its address space is limited, and whatever is written to its standard output or error counts as a failure, warnings too.
"""

import gc
import json
import os
import resource
import sys
import tempfile
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sakuga import Stylizer
from sakuga import picture as image
from sakuga.errors import IncompleteError, SakugaError
from sakuga.picture import metadata
from sakuga.stylizer.piece import MIN_SIDE

LIMIT = 1 << 24  # pixels to read at most: time and memory are in proportion to them, whatever the file
SMALL = 1 << 18  # pixels up to which a picture that was read is stylised and written: more would only take time
LONGEST = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535, "AVIF": 65536}  # sides that the formats or their encoders hold
SENTENCE = 600  # characters; paths are long here


def picture(path: Path, target: Path, stylizer: Stylizer) -> str:
    """Read and write back; then the command's own way. A picture that was read must be writable."""
    read = image.read(path, max_pixels=LIMIT)
    height, width = read.frames[0].rgb.shape[:2]
    if read.exif:
        metadata.exif_without_place(read.exif)
    if read.xmp:
        metadata.xmp_without_place(read.xmp)
    if height * width * len(read.frames) > SMALL:
        return "large"
    try:
        data = image.encode(read)
    except SakugaError:
        if max(height, width) <= LONGEST.get(read.format, 2**31):
            raise AssertionError(f"a {read.format} of {width}x{height} that was read cannot be written") from None
        image.encode(read, "PNG")
    else:
        assert len(image.read(data).frames) >= 1
    if max(height, MIN_SIDE) * max(width, MIN_SIDE) * len(read.frames) > SMALL:
        return "large"
    stylizer.file(path, target, format="PNG")
    return "done"


def video(path: Path, target: Path, stylizer: Stylizer) -> str:
    stylizer.file(path, target)
    return "done"


def style(path: Path, target: Path, _: Stylizer) -> str:
    """One run of the network, at a size that is not a multiple of anything, and all that `sakuga info` prints."""
    stylizer = Stylizer(path, threads=1)
    json.dumps(stylizer.style.describe(), ensure_ascii=False).encode()
    stylizer.array(np.zeros((70, 67, 3), np.uint8))
    return "done"


WAYS = {".onnx": style, ".mp4": video, ".mkv": video, ".mov": video}
"""By the suffix of the target: it is a picture's .png, a video's .mp4, or a style's own."""


def attempt(job: dict[str, str], stylizer: Stylizer, noise: Any) -> dict[str, Any]:
    """Do one job; the outcome is done, large, refused (with the sentence) or, for all that must not be, failed."""
    path, target = Path(job["path"]), Path(job["target"])
    before = path.read_bytes()
    _reset_peak()
    outcome, reason = "failed", ""
    try:
        outcome = WAYS.get(target.suffix, picture)(path, target, stylizer)
    except IncompleteError:
        outcome = "done"
    except SakugaError as error:
        outcome, reason = "refused", str(error)
        if fault := _unclear(reason, path, target):
            outcome, reason = "failed", f"{fault}: {reason}"
    except BaseException:
        reason = traceback.format_exc()
    left = [each.name for each in target.parent.iterdir() if each != target or outcome == "refused"]
    for name in left:
        (target.parent / name).unlink()
    target.unlink(missing_ok=True)
    if left:
        outcome, reason = "failed", f"left behind: {left}"
    if path.read_bytes() != before:
        outcome, reason = "failed", "the input was changed"
    gc.collect()  # whatever warns when it is thrown away
    noise.seek(0)
    lines = noise.read().decode(errors="replace").splitlines()
    if said := [line for line in lines if not _is_note(line, path)]:
        outcome, reason = "failed", f"printed: {' '.join(said)[:2000]} {reason}"
        noise.seek(0)
    os.truncate(noise.fileno(), 0)
    noise.seek(0)
    return {"outcome": outcome, "reason": reason, "mebibytes": _peak()}


def _is_note(line: str, path: Path) -> bool:
    """Whether a line that was printed is one of ours, of what a person should hear of this file."""
    return line.startswith(f"sakuga: {path}") and line.isprintable() and len(line) <= SENTENCE


def _unclear(sentence: str, path: Path, target: Path) -> str:
    """What is wrong with the sentence of an error, if anything."""
    if not any(name in sentence for name in (str(path), str(target), f"style {path.stem}")):
        return "does not name the file"
    if not sentence.isprintable() or len(sentence) > SENTENCE:
        return "is not one sentence"
    return ""


def _reset_peak() -> None:
    with suppress(OSError):  # where it is not allowed the peak is that of all jobs so far
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    noise = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    os.dup2(noise.fileno(), 1)
    os.dup2(noise.fileno(), 2)
    warnings.simplefilter("always")
    stylizer = Stylizer(threads=1)
    stylizer.array(np.zeros((8, 8, 3), np.uint8))
    limit = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.collect()
    gc.freeze()  # the libraries' objects stay: collecting after each job is then quick
    answers.write("ready\n")
    for line in sys.stdin:
        answers.write(json.dumps(attempt(json.loads(line), stylizer, noise)) + "\n")


if __name__ == "__main__":
    main()
