"""What is no file of weights is named for what it is."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest
import torch

from sakuga.errors import SakugaError
from sakuga.importers.weights import load
from sakuga.networks.feature_weights import read
from sakuga.runtime.downloaded import check_whole


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/netG.pth", b"weights" * 100)
    return file.getvalue()


def tarred(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        archive.addfile(tarfile.TarInfo("netG.pth"))
    return file.getvalue()


def saved(**options):
    file = io.BytesIO()
    torch.save({"a": torch.zeros(300)}, file, **options)
    return file.getvalue()


BAD = {
    "zip": (zipped(), r"is an archive \(zip\): unpack it"),
    "tar": (tarred("w"), r"is an archive \(tar\): unpack it"),
    "tgz": (tarred("w:gz"), r"is an archive \(gzip\): unpack it"),
    "gz": (gzip.compress(saved()), r"is an archive \(gzip\): unpack it"),
    "bz2": (bz2.compress(saved()), r"is an archive \(bzip2\): unpack it"),
    "xz": (lzma.compress(saved()), r"is an archive \(xz\): unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(90), r"is an archive \(7z\): unpack it"),
    "rar": (b"Rar!\x1a\x07\x01\0" + bytes(90), r"is an archive \(rar\): unpack it"),
    "nothing": (b"", "is empty: download it again"),
    "zeros": (bytes(2000), "holds zeros alone"),
    "cut": (saved()[:-40], "is cut off: download it again"),
    "page": (b" <!DOCTYPE html>", "is a web page"),
}


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD)
def test_in_words(data, said, tmp_path):
    path = tmp_path / "netG.pth"
    path.write_bytes(data)
    with pytest.raises(SakugaError, match=rf"netG\.pth {said}"):
        load(path)
    with pytest.raises(SakugaError, match=rf"netG\.pth {said}"):
        read(path, "vgg16")


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
def test_weights_pass(options, tmp_path):
    (tmp_path / "a.pth").write_bytes(saved(**options))
    np.savez(tmp_path / "a.npz", a=np.zeros(3))
    np.save(tmp_path / "a.npy", np.zeros(3))
    for path in tmp_path.iterdir():
        check_whole(path)
