"""How fast faces are found: in photos of several sizes, in the frames of a video, and what exaggerating them takes.

    python benchmarks/faces.py

Needs `sakuga download faces` and the extra faces. The pictures are made of examples/astronaut.jpg (public domain).
Times are the processor's, of one thread, so that other work on the machine counts little; the least of five.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.faces.align import cut, paste, square_at
from sakuga.faces.find import find_faces
from sakuga.faces.track import EVERY, FaceTracker
from sakuga.stylizer import Stylizer

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"


def group(width: int, height: int, faces: int) -> np.ndarray:
    """A gray picture with so many copies of the example in a row."""
    picture = Image.new("RGB", (width, height), (128, 128, 128))
    side = min(width // faces, height)
    for place in range(faces):
        picture.paste(Image.open(EXAMPLE).resize((side, side)), (place * side, (height - side) // 2))
    return np.asarray(picture)


def least(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the processor that the quickest of several runs took."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    """Print a table."""
    find_faces(group(512, 512, 1))  # opens the networks
    for width, height, faces in ((1280, 800, 1), (1280, 800, 4), (4000, 3000, 1), (4000, 3000, 4)):
        picture = group(width, height, faces)
        seconds = least(partial(find_faces, picture))
        found = len(find_faces(picture))
        print(f"find {faces} in {width}x{height}: found {found}, {seconds:.3f} s, {found / seconds:.1f} faces a second")
    frame = group(1280, 720, 2)
    tracker = FaceTracker()
    seconds = least(lambda: [tracker(frame) for _ in range(EVERY)]) / EVERY
    print(f"follow 2 in 1280x720: {seconds:.3f} s a frame")
    matrix = square_at(np.array([320.0, 360.0]), 500, 0.1, 512)
    seconds = least(lambda: paste(frame, cut(frame, matrix, (512, 512)), matrix))
    print(f"cut out and paste back 512x512: {seconds:.3f} s")
    caricature = Stylizer("caricature", threads=1)
    photo = group(1152, 868, 1)
    print(f"caricature of 1 in 1152x868: {least(partial(caricature.array, photo)):.3f} s")
    tracker = FaceTracker()
    seconds = least(lambda: [caricature.array(frame, tracker(frame)) for _ in range(EVERY)]) / EVERY
    print(f"caricature of 2 in a video of 1280x720: {seconds:.3f} s a frame")


if __name__ == "__main__":
    main()
