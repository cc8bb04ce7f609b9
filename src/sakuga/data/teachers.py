"""A teacher shows a fast generator what to paint: any callable from photo to picture, run once and kept on disk."""

import hashlib
import inspect
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from sakuga import importers
from sakuga.data.images import to_tensor, to_uint8
from sakuga.data.pictures import KEEP, Pictures
from sakuga.errors import SakugaError, UsageError
from sakuga.networks.freeze import freeze_statistics
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import say, track
from sakuga.runtime.plugin import load_function

Teacher = Callable[[np.ndarray], np.ndarray]
"""(H, W, 3) uint8 RGB to the same shape."""


def load_teacher(spec: str, photos: Sequence[np.ndarray], *, freeze: int = 24) -> tuple[Teacher, str]:
    """Make the teacher that `spec` names.

    Args:
        spec: `module:function`; or a folder with a published CartoonGAN generator, one `.npy` per tensor; or a style,
            by name or path.
        photos: the training photographs, (H, W, 3) uint8; an imported network's statistics are measured on them.
        freeze: how many of the photos fix the statistics of an imported network's instance norms; 0 leaves the norms
            as they are.

    Returns:
        The teacher, and a key that changes with its weights, its statistics or, for a function, its source.

    Raises:
        UsageError: nothing of that name can be a teacher.
    """
    if ":" in spec and not Path(spec).exists():
        function: Teacher = load_function(spec, "--teacher")
        try:
            source = _source(function)
        except (OSError, TypeError) as error:
            raise UsageError(f"--teacher {spec}: its source cannot be read ({error}): write it in Python") from error
        return function, _digest(spec.encode(), *source)
    if (Path(spec) / "last.pt").is_file():
        raise UsageError(f"--teacher {spec} is a training; `sakuga export {spec} -o teacher.onnx` and name that file")
    if Path(spec).is_dir():
        return _cartoongan(Path(spec), photos, freeze)
    from sakuga.stylizer import Stylizer

    stylizer = Stylizer(spec, brush=1)
    return stylizer.array, _digest(stylizer.style.path.read_bytes())


def _cartoongan(folder: Path, photos: Sequence[np.ndarray], freeze: int) -> tuple[Teacher, str]:
    network = importers.read(folder, "cartoongan").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    key = [path.read_bytes() for path in sorted(folder.glob("*.npy"))]
    if freeze:
        chosen = photos[:: max(1, len(photos) // freeze)][:freeze]
        key += [photo.tobytes() for photo in chosen]
        with _bfloat16():
            freeze_statistics(network, map(to_tensor, chosen))

    return NetworkTeacher(network), _digest(*key)


class NetworkTeacher:
    """A network as a teacher, run in bfloat16 on the CPU."""

    def __init__(self, network: nn.Module):
        self.network = network

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """Paint a photo (H, W, 3) uint8."""
        height, width = photo.shape[:2]
        with torch.inference_mode(), _bfloat16():
            # A network may round sizes up to its multiple; the surplus is at the right and the bottom.
            return to_uint8(self.network(to_tensor(photo)))[0, :height, :width]


def _bfloat16() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def _source(function: Teacher) -> list[bytes]:
    """The source of a function's module and of the modules of the same package whose functions that one uses."""
    module = inspect.getmodule(function)
    if module is None:
        return [inspect.getsource(function).encode()]
    package, found, ahead = module.__package__ or module.__name__, {module.__name__: module}, [module]
    while ahead:
        for value in vars(ahead.pop()).values():
            used = inspect.getmodule(value) if inspect.isfunction(value) else None
            if used is not None and used.__package__ == package and used.__name__ not in found:
                found[used.__name__] = used
                ahead.append(used)
    return [inspect.getsource(found[name]).encode() for name in sorted(found)]


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def targets(
    photos: Sequence[np.ndarray], teacher: Teacher, key: str, cache: Path, *, name: str = "", keep: int = KEEP
) -> Pictures:
    """Return the teacher's picture of every photo, computing those that `cache` does not hold yet, or holds damaged.

    Pictures are kept losslessly as `cache/KEY/PHOTO.png`, where PHOTO is the hash of the photo's pixels, each written
    under a temporary name first: an interrupted run goes on where it stopped. `name` is the teacher's in errors.
    """
    folder = cache / key
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{_digest(str(photo.shape).encode(), photo.tobytes())}.png" for photo in photos]
    missing = [index for index, file in enumerate(files) if not _is_whole(file)]
    called = f"the teacher {name}".rstrip()
    if missing:
        say(f"the teacher paints {len(missing):,} photos")
    for index in track(missing, "teacher's pictures", len(missing)):
        photo, file = photos[index], files[index]
        try:
            picture = teacher(photo)
        except Exception as error:  # anybody's function
            path = getattr(photos, "paths", {index: f"photo {index}"})[index]
            raise SakugaError(f"{called} fails on {path} ({type(error).__name__}: {error})") from error
        made = f"{getattr(picture, 'shape', type(picture).__name__)} of {getattr(picture, 'dtype', 'no dtype')}"
        wanted = f"{photo.shape} of uint8"
        if made != wanted:
            raise SakugaError(f"{called} made {made} from a photo {wanted}: it must keep shape and type")
        with atomic(file, overwrite=True) as temporary:
            Image.fromarray(picture).save(temporary, format="PNG", compress_level=1)
    return Pictures(files, keep=keep)


def _is_whole(file: Path) -> bool:
    """Whether there is a PNG, each of its chunks with the checksum that it bears."""
    if not file.is_file():
        return False
    data, place = file.read_bytes(), 8
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4])
        if end > len(data) or zlib.crc32(data[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            return False
        if data[place + 4 : place + 8] == b"IEND":
            return True
        place = end
    return False
