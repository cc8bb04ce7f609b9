"""Superpixels of photographs, computed once, by several processes, and kept on disk."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from skimage.segmentation import felzenszwalb, slic

from sakuga.data.columns import Column, Crop
from sakuga.data.images import load_image
from sakuga.data.pictures import Options, Pictures
from sakuga.errors import SakugaError
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import say, track
from sakuga.runtime.parallel import cores
from sakuga.runtime.processes import process_pool

Mapped = Callable[[Callable[[Path], np.ndarray], Sequence[Path]], Generator[np.ndarray, None, None]]

PER_PATCH = 200
"""Segments in 256×256 pixels."""


def superpixels(picture: np.ndarray) -> np.ndarray:
    """SLIC segments of (H, W, 3) uint8 as labels (H, W) int32 from 0 on.

    200 segments in every 256×256 pixels, compactness 10, a blur of one pixel before, in Lab: the values of the official
    White-box code (Wang, Yu, CVPR 2020).
    """
    wanted = max(1, round(PER_PATCH * picture.shape[0] * picture.shape[1] / 256**2))
    labels: np.ndarray = slic(picture, n_segments=wanted, compactness=10, sigma=1, start_label=0).astype(np.int32)
    return labels


def regions(picture: np.ndarray, *, min_size: int = 50) -> np.ndarray:
    """Felzenszwalb's segments of (H, W, 3) uint8 as labels (H, W) int32 from 0 on, of `min_size` pixels or more.

    A pixel joins its neighbours while their colours differ less than inside their segments, whatever shape comes of it;
    scale 5, a blur of 0.8 before: the values of the official AnimeGANv3 code.

    Source: Felzenszwalb, Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 2004.
    """
    labels: np.ndarray = felzenszwalb(picture, scale=5, sigma=0.8, min_size=min_size).astype(np.int32)
    return labels


def each(function: Callable[[np.ndarray], np.ndarray], pictures: np.ndarray) -> np.ndarray:
    """Apply a function to every picture of a batch, on all cores: scikit-image lets other threads run meanwhile."""
    with ThreadPoolExecutor(min(len(pictures), cores())) as pool:
        return np.stack(list(pool.map(function, pictures)))


class Segments(Column):
    """The segments of photographs, computed once and kept on disk; in a crop (size, size) int64 they count from 0.

    Args:
        pictures: the photographs.
        cache: folder of the labels, a `.npy` for each photo; what it does not hold yet, or holds damaged, is computed.
        method: a function of a module, `superpixels` or `regions`; each has files of its own.
        mapped: what applies a function to many paths and yields the results in order; None: processes of this machine.
    """

    def __init__(
        self,
        pictures: Pictures,
        cache: Path,
        method: Callable[[np.ndarray], np.ndarray] = superpixels,
        mapped: Mapped | None = None,
    ):
        cache.mkdir(parents=True, exist_ok=True)
        self.sizes = pictures.sizes
        self.files = [cache / f"{method.__name__}-{pictures.key(index)}.npy" for index in range(len(pictures))]
        missing = [i for i, file in enumerate(self.files) if not _is_whole(file)]
        if missing:
            _compute(pictures, self.files, missing, method, mapped or _in_processes)

    def __len__(self) -> int:
        return len(self.files)

    def take(self, crop: Crop) -> np.ndarray:
        """Cut a crop out of a photo's labels. Raises SakugaError where they are gone or damaged since."""
        file = self.files[crop.index]
        try:
            whole = np.load(file)
        except (OSError, ValueError, EOFError) as error:
            raise SakugaError(f"{file} is gone or damaged: the same command computes it again") from error
        _, labels = np.unique(crop.cut(whole), return_inverse=True)
        return labels.reshape(crop.size, crop.size)


def _is_whole(file: Path) -> bool:
    """Whether a file holds labels, by its header and its length."""
    try:
        return bool(np.load(file, mmap_mode="r").ndim == 2)
    except (OSError, ValueError, EOFError, SyntaxError):
        return False


def _compute(
    pictures: Pictures,
    files: Sequence[Path],
    missing: Sequence[int],
    method: Callable[[np.ndarray], np.ndarray],
    mapped: Mapped,
) -> None:
    say(f"computing the superpixels of {len(missing):,} photos")
    # The workers read the pictures: handed over, all of them would wait in memory at once.
    work = partial(_labels, method, pictures.options)
    with closing(mapped(work, [pictures.paths[i] for i in missing])) as made:
        for i, labels in zip(missing, track(made, "superpixels", len(missing)), strict=True):
            with atomic(files[i], overwrite=True) as temporary, temporary.open("wb") as file:
                np.save(file, labels)


def _in_processes(work: Callable[[Path], np.ndarray], paths: Sequence[Path]) -> Generator[np.ndarray, None, None]:
    with process_pool(min(len(paths), cores())) as pool:
        try:
            yield from pool.map(work, paths)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _labels(method: Callable[[np.ndarray], np.ndarray], options: Options, path: Path) -> np.ndarray:
    return method(load_image(path, **options))
