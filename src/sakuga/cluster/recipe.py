"""A stylizer on its way to other machines: what it was made of, with its style file found by checksum."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sakuga.errors import SakugaError
from sakuga.runtime.atomic import atomic
from sakuga.runtime.home import cache_folder
from sakuga.style.file import read
from sakuga.stylizer import Look, Stylizer


@dataclass(frozen=True)
class Recipe:
    """One style, how it is applied, and what comes before it.

    `sha256`: of the style's file, which the machines are sent once each. `given`: values of the style's inputs;
    pictures as bytes, since no other machine has their files.
    """

    name: str
    sha256: str
    look: Look
    given: Mapping[str, object]
    after: "Recipe | None" = None

    @classmethod
    def of(cls, stylizer: Stylizer) -> "Recipe":
        """Return what a stylizer was made of."""
        pictures = {one.name for one in stylizer.style.card.inputs if one.kind == "picture"}
        given = {
            name: Path(value).read_bytes() if name in pictures and isinstance(value, (str, Path)) and value else value
            for name, value in stylizer.given.items()
        }
        after = cls.of(stylizer.after) if stylizer.after else None
        return cls(stylizer.style.name, stylizer.style.file_sha256, stylizer.look, given, after)

    def make(self, fetch: Callable[[str], bytes], threads: int) -> Stylizer:
        """Return the stylizer again; `fetch` gives the bytes of the style file of a checksum, where it is not here."""
        after = self.after.make(fetch, threads) if self.after else None
        style = read(style_file(self.name, self.sha256, fetch))
        return Stylizer(style, self.look, inputs=self.given, threads=threads, after=after)


def files(stylizer: Stylizer) -> dict[str, bytes]:
    """The style files that a stylizer needs, by their checksums."""
    before = files(stylizer.after) if stylizer.after else {}
    return {**before, stylizer.style.file_sha256: stylizer.style.path.read_bytes()}


def style_file(name: str, sha256: str, fetch: Callable[[str], bytes]) -> Path:
    """The copy of a style file on this machine, made of what `fetch` gives where there is none or a damaged one."""
    for home in (cache_folder(), Path(tempfile.gettempdir()) / f"sakuga-{os.getuid()}"):
        file = home / "cluster" / sha256 / f"{name}.onnx"
        try:
            if not (file.is_file() and read_checksum(file) == sha256):
                file.parent.mkdir(parents=True, exist_ok=True)
                with atomic(file, overwrite=True) as temporary:
                    temporary.write_bytes(fetch(sha256))
        except (OSError, SakugaError):  # a user without a home, or with a full one
            continue
        return file
    raise SakugaError(f"style {name} cannot be kept on this machine: set SAKUGA_CACHE to a folder that can be written")


def read_checksum(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
