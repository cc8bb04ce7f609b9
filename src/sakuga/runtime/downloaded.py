"""What arrives in place of a file of weights: archives, pages, pointers, parts of it, nothing."""

import tokenize
import zipfile
import zlib
from pathlib import Path

from sakuga.errors import SakugaError

ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}
"""The first bytes of each kind; those of zip and tar are told by more than that."""
NO_ARRAYS = (
    *(OSError, EOFError, ValueError, SyntaxError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
"""What NumPy raises on a damaged .npy or .npz."""
ZIP, TAR = b"PK\x03\x04", slice(257, 262)


def check_whole(path: Path) -> None:
    """Refuse what cannot be weights of PyTorch or NumPy, in the words of what it is.

    Raises:
        SakugaError: an archive, a web page, a pointer of Git LFS, an empty file, or a zip without its end.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise SakugaError(f"{path} is empty: download it again")
    if not head.strip(b"\0"):
        raise SakugaError(f"{path} holds zeros alone, as of a download that broke off: download it again")
    if head.lstrip().startswith((b"<", b"version https://git-lfs")):
        raise SakugaError(f"{path} is a web page or a pointer of Git LFS, not weights: download the file itself.")
    kind = next((kind for magic, kind in ARCHIVES.items() if head.startswith(magic)), "")
    if head[TAR] == b"ustar":
        kind = "tar"
    elif head.startswith(ZIP):
        if not zipfile.is_zipfile(path):
            raise SakugaError(f"{path} is cut off: download it again")
        with zipfile.ZipFile(path) as held:
            names = held.namelist()
        if not any(name.endswith(("/data.pkl", ".npy")) or name == "data.pkl" for name in names):
            kind = "zip"
    if kind:
        raise SakugaError(f"{path} is an archive ({kind}): unpack it, and name the file of weights that lies in it")
