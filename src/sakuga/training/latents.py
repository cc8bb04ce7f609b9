"""Latents on disk: what a projection found, for `sakuga generate`."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sakuga.errors import UsageError
from sakuga.runtime.atomic import atomic
from sakuga.training.projection import Steered, noise_maps


@dataclass(frozen=True)
class Latents:
    """A picture's latents (1, layers, size), the noise of its layers, and a checksum of the generator's weights."""

    w: Tensor
    maps: list[Tensor]
    generator: str

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write an `.npz`: w, noise0, noise1, ..., generator."""
        arrays = {"w": self.w.numpy(), "generator": np.array(self.generator)}
        arrays |= {f"noise{place}": one.detach().numpy() for place, one in enumerate(self.maps)}
        with atomic(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def put_into(self, generator: Steered) -> None:
        """Give a generator this noise."""
        for one, stored in zip(noise_maps(generator), self.maps, strict=False):
            one.copy_(stored)


def read_latents(path: Path, generator: Steered) -> Latents:
    """Read an `.npz` that was found for a generator.

    Raises UsageError where it does not exist, is no such file, or of another generator.
    """
    if not path.is_file():
        raise UsageError(f"--latent {path} does not exist: check the path")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name]) for name in stored.files}
        of, w = str(arrays["generator"]), torch.from_numpy(arrays["w"])
        maps = [torch.from_numpy(arrays[f"noise{place}"]) for place in range(len(arrays) - 2)]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise UsageError(f"--latent {path} is no latent that sakuga project wrote") from error
    if of != fingerprint(generator):
        raise UsageError(f"--latent {path} was found for another generator, or for other weights: project again")
    return Latents(w, maps, of)


def fingerprint(generator: nn.Module) -> str:
    """Return a checksum of a generator's weights, the layers' noise apart."""
    digest = hashlib.sha256()
    for name, value in sorted(generator.state_dict().items()):
        if not name.endswith(".fixed"):
            digest.update(name.encode())
            digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
