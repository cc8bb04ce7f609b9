"""`sakuga import` as its user meets it: the file, its card, its picture, and every wrong thing that one can name."""

import hashlib
import json
import os
import struct
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from published import Animegan2, Cartoongan, FastNeuralStyle, Ugatit, adain, randomised, resnet, unet

from sakuga import importers
from sakuga.cli import main
from sakuga.style import read

FOLDER = "Ünïcødé 写真 (1)"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir()
    return folder


@pytest.fixture
def cyclegan(folder):
    """A small one of the real layout."""
    path = folder / "latest_net_G A.pth"
    torch.save(randomised(resnet(width=4, blocks=6, dropout=True)).state_dict(), path)
    return path


def said(capsys):
    return " ".join(capsys.readouterr().err.split())


def save(weights, path):
    torch.save(weights, path)
    return path


def refused(capsys, *args, status=2):
    """The sentence that a command ends with."""
    assert main(["import", *map(str, args)]) == status
    error = said(capsys)
    assert "Traceback" not in error
    return error


class TestUse:
    def test_from_weights_to_a_picture(self, cyclegan, folder, capsys):
        style, photo = folder / "my zebra.onnx", folder / "photo.png"
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (67, 93, 3), dtype=np.uint8)).save(photo)
        named = ["--title", "Zebra", "--licence", "BSD-2-Clause"]
        assert main(["import", "cyclegan", str(cyclegan), "-o", str(style), *named]) == 0
        captured = capsys.readouterr()
        assert captured.out == f"{style}\n"
        # 4 · 3 · 49 + 4; 8 · 4 · 9 + 8; 16 · 8 · 9 + 16; 6 · 2 · (16 · 16 · 9 + 16); 16 · 8 · 9 + 8; 8 · 4 · 9 + 4;
        # 3 · 4 · 49 + 3: 592 + 296 + 1168 + 27840 + 1160 + 292 + 591.
        assert "CycleGAN's ResNet generator with 6 blocks, 31,939 parameters" in captured.err
        assert "licence is unknown" not in captured.err
        card = read(style).card
        assert (card.name, card.title, card.system, card.licence) == ("my-zebra", "Zebra", "cyclegan", "BSD-2-Clause")
        assert (card.multiple, card.receptive_field) == (4, 0)
        digest = hashlib.sha256(cyclegan.read_bytes()).hexdigest()
        assert (card.config["file"], card.config["file_sha256"]) == (cyclegan.name, digest)
        assert card.data == [{"name": cyclegan.name, "licence": "BSD-2-Clause", "use": "published weights"}]
        assert main([str(photo), "-s", str(style)]) == 0
        assert Image.open(folder / "photo.my zebra.png").size == (93, 67)

    def test_the_layout_can_be_left_out(self, cyclegan, folder, capsys):
        assert main(["import", "-o", str(folder / "a.onnx"), str(cyclegan)]) == 0
        assert "the licence is unknown: tell it with --licence" in said(capsys)
        assert read(folder / "a.onnx").card.licence.startswith("unknown")

    def test_a_file_of_several_networks(self, folder, capsys):
        held = {f"gen{way}": Ugatit(width=4, blocks=1).state_dict() for way in ("A2B", "B2A")}
        path = save({"step": 7, **held, "disGA": {"gap_fc.weight_orig": torch.zeros(1, 8)}}, folder / "params.pt")
        assert main(["import", "ugatit", str(path), "-o", str(folder / "a.onnx")]) == 0
        assert "genA2B is U-GAT-IT's generator, the light version" in (error := said(capsys))
        assert "it holds genB2A too: choose with --network" in error
        assert read(folder / "a.onnx").card.config["network"] == "genA2B"
        assert main(["import", str(path), "--network", "genB2A", "-o", str(folder / "b.onnx")]) == 0
        assert read(folder / "b.onnx").card.config["network"] == "genB2A"
        error = refused(capsys, path, "--network", "G", "-o", folder / "c.onnx")
        assert "holds no network called 'G': its names begin with disGA, genA2B, genB2A" in error
        error = refused(capsys, path, "--network", "disGA", "-o", folder / "c.onnx")
        assert "looks like a discriminator of U-GAT-IT" in error

    def test_wrapped_by_training_tools(self, cyclegan, folder):
        weights = torch.load(cyclegan, weights_only=True)
        wrapped = {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in weights.items()}}
        wrapped["optimizer"] = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
        path = save(wrapped, folder / "epoch.ckpt")
        plain, unwrapped = (importers.read(source).state_dict() for source in (cyclegan, path))
        assert all(torch.equal(plain[name], unwrapped[name]) for name in plain)

    def test_folder_of_arrays(self, folder):
        weights = folder / "hayao"
        weights.mkdir()
        for name, tensor in randomised(Cartoongan(width=2)).state_dict().items():
            np.save(weights / f"{name}.npy", tensor.numpy())
        assert main(["import", "cartoongan", str(weights), "-o", str(folder / "x.onnx")]) == 0
        card = read(folder / "x.onnx").card
        sums = [(hashlib.sha256(f.read_bytes()).hexdigest(), f.name) for f in sorted(weights.iterdir())]
        listing = "".join(f"{digest}  {name}\n" for digest, name in sums)  # what sha256sum prints
        assert card.config["file_sha256"] == hashlib.sha256(listing.encode()).hexdigest()

    @pytest.mark.usefixtures("narrow_vgg")
    def test_adain_takes_a_picture(self, folder, capsys):
        encoder, decoder = map(randomised, adain(width=8))
        save(encoder[:31].state_dict(), folder / "vgg_normalised.pth")
        save(decoder.state_dict(), folder / "decoder.pth")
        wave, out = folder / "wave.png", folder / "wave.onnx"
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(wave)
        assert "name one with --picture FILE" in refused(capsys, "adain", folder, "-o", out)
        error = refused(capsys, folder, "--picture", "missing.png", "-o", out, status=1)
        assert "missing.png does not exist" in error
        assert not out.exists()
        assert main(["import", "adain", str(folder), "--picture", str(wave), "-o", str(out)]) == 0
        card = read(out).card
        assert (card.multiple, card.receptive_field, card.config["picture"]) == (8, 0, ["wave.png"])
        error = refused(capsys, folder / "decoder.pth", "-o", folder / "y.onnx", status=1)
        assert "AdaIN is two files: name the folder" in error
        published = save(adain()[0].state_dict(), folder / "vgg_normalised.pth")
        assert "looks like AdaIN's encoder" in refused(capsys, published, "-o", folder / "y.onnx")

    def test_safetensors(self, cyclegan, folder, capsys, monkeypatch):
        """The format is eight bytes of length, a JSON table, and the numbers."""
        table, body = {}, b""
        for name, tensor in torch.load(cyclegan, weights_only=True).items():
            data = tensor.numpy().tobytes()
            table[name] = {
                "dtype": "F32",
                "shape": list(tensor.shape),
                "data_offsets": [len(body), len(body) + len(data)],
            }
            body += data
        head = json.dumps(table).encode()
        path = folder / "g.safetensors"
        path.write_bytes(struct.pack("<Q", len(head)) + head + body)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "safetensors.torch", None)
            assert "pip install safetensors" in refused(capsys, path, "-o", folder / "x.onnx", status=1)
        pytest.importorskip("safetensors.torch")
        assert main(["import", str(path), "-o", str(folder / "x.onnx")]) == 0
        path.write_bytes(path.read_bytes()[:-10])
        assert "cannot be read as weights" in refused(capsys, path, "-o", folder / "y.onnx", status=1)


class TestWrongWeights:
    """Another file than was meant is told what it looks like."""

    @pytest.mark.parametrize(
        ("network", "layout", "looks"),
        [
            (
                lambda: resnet(width=2),
                "pix2pix",
                "CycleGAN's ResNet generator with 9 blocks: use `sakuga import cyclegan`",
            ),
            (lambda: resnet(width=2, antialias=True), "cyclegan", "CUT's ResNet generator with 9 blocks"),
            (lambda: unet(width=2, levels=7), "cyclegan", "pix2pix's U-Net generator with 7 levels"),
            (lambda: Ugatit(width=2, light=False, size=32), "cyclegan", "U-GAT-IT's generator, the full version"),
            (FastNeuralStyle, "cartoongan", "fast neural style's network of the PyTorch examples"),
            (Animegan2, "ugatit", "AnimeGANv2's generator: use `sakuga import animegan2`"),
            (lambda: Cartoongan(width=2), "animegan2", "CartoonGAN's generator: use `sakuga import cartoongan`"),
        ],
    )
    def test_another_layout(self, network, layout, looks, folder, capsys):
        path = save(network().state_dict(), folder / "w.pth")
        assert f"w.pth looks like {looks}" in refused(capsys, layout, path, "-o", folder / "x.onnx")

    @pytest.mark.parametrize(
        ("names", "looks"),
        [
            ({"model.0.weight": (64, 3, 4, 4)}, "discriminator of pix2pix or CycleGAN"),
            ({"features.0.weight": (64, 3, 3, 3)}, "classifier such as VGG"),
            ({"average.body.0.weight": (3,)}, "a training of sakuga: use `sakuga export RUN`"),
            ({"netE.w": (3,), "netD.w": (3,)}, "its tensors are netE.w, netD.w, their names begin with netE, netD"),
            ({}, "holds no tensors"),
        ],
    )
    def test_no_layout(self, names, looks, folder, capsys):
        path = save({name: torch.zeros(shape) for name, shape in names.items()}, folder / "w.pth")
        assert looks in refused(capsys, path, "-o", folder / "x.onnx")

    def test_almost(self, cyclegan, folder, capsys):
        """A file that begins as it should and then differs is not imported in part."""
        whole = torch.load(cyclegan, weights_only=True)
        for change, expected in (
            ({"model.16.bias": None}, "holds 35 tensors where a ResNet generator with 6 blocks has 36"),
            ({"model.30.weight": torch.zeros(1)}, "holds 37 tensors where"),
            ({"model.23.weight": torch.zeros(1, 4, 7, 7)}, "model.23.weight has shape (1, 4, 7, 7)"),
            ({"model.4.weight": whole["model.4.weight"] * torch.nan}, "model.4.weight holds values that are no finite"),
            ({"model.2.weight": torch.ones(4), "model.2.bias": torch.zeros(4)}, "holds 38 tensors where"),
        ):
            weights = {name: tensor for name, tensor in (whole | change).items() if tensor is not None}
            error = refused(capsys, save(weights, folder / "w.pth"), "-o", folder / "x.onnx", status=1)
            assert expected in error
            assert "CycleGAN's ResNet generator with 6 blocks" in error
        assert not (folder / "x.onnx").exists()

    def test_a_missing_tensor_is_named(self, folder, capsys):
        weights = Cartoongan(width=2).state_dict()
        del weights["in05_1.scale"]
        error = refused(capsys, save(weights, folder / "w.pth"), "-o", folder / "x.onnx", status=1)
        assert "in05_1.scale is missing" in error


class TestUnsafeAndDamaged:
    def test_code_is_not_run(self, folder, capsys):
        class Evil:
            def __reduce__(self):
                import os

                return os.mkdir, (str(folder / "evil"),)

        error = refused(capsys, save({"x": Evil()}, folder / "w.pth"), "-o", folder / "x.onnx", status=1)
        assert "save the network's state_dict()" in error
        np.savez(folder / "w.npz", x=np.array([Evil()], dtype=object))
        assert "cannot be read" in refused(capsys, folder / "w.npz", "-o", folder / "x.onnx", status=1)
        assert not (folder / "evil").exists()

    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "error::UserWarning")
    def test_torchscript(self, folder, capsys):
        torch.jit.script(torch.nn.ReLU()).save(str(folder / "w.pt"))
        assert "save the network's state_dict()" in refused(capsys, folder / "w.pt", "-o", folder / "x.onnx", status=1)

    @pytest.mark.parametrize("suffix", [".pth", ".npz", ".npy", ".safetensors"])
    @pytest.mark.parametrize("content", [b"", b"garbage" * 50])
    def test_garbage(self, suffix, content, folder, capsys):
        path = folder / f"w{suffix}"
        path.write_bytes(content)
        error = refused(capsys, path, "-o", folder / "x.onnx", status=1)
        assert str(path) in error

    @pytest.mark.parametrize("shared", [False, True])
    def test_a_file_that_holds_itself_or_a_part_without_end(self, shared, folder, capsys):
        tree = {"w": torch.zeros(1)}
        for _ in range(40):  # 2 to the power of 40 names
            tree = {"a": tree, "b": tree if shared else torch.zeros(1)}
        path = save(tree, folder / "w.pth")
        assert "nested too deeply" in refused(capsys, path, "-o", folder / "x.onnx", status=1)

    @pytest.mark.parametrize("header", [b"(" * 110, b"{'descr': '<f4', 'fortran_order': False, 'shape': (2**50,), }"])
    def test_an_array_that_lies(self, header, folder, capsys):
        path = folder / "w.npy"
        header = header.replace(b"2**50", b"%d" % 2**50)
        path.write_bytes(b"\x93NUMPY\x01\0\x76\0" + header.ljust(117) + b"\n")
        assert "cannot be read as weights" in refused(capsys, path, "-o", folder / "x.onnx", status=1)

    def test_half_a_file(self, cyclegan, folder, capsys):
        cyclegan.write_bytes(cyclegan.read_bytes()[:5000])
        assert "latest_net_G A.pth" in refused(capsys, cyclegan, "-o", folder / "x.onnx", status=1)

    @pytest.mark.parametrize("content", [b"\n<!DOCTYPE html>", b"version https://git-lfs.github.com/spec/v1\noid"])
    def test_not_the_file_itself(self, content, folder, capsys):
        (folder / "w.pth").write_bytes(content)
        assert "download the file itself" in refused(capsys, folder / "w.pth", "-o", folder / "x.onnx", status=1)

    def test_the_input_is_untouched(self, cyclegan, folder):
        before = cyclegan.read_bytes()
        assert main(["import", str(cyclegan), "-o", str(folder / "x.onnx")]) == 0
        assert cyclegan.read_bytes() == before
        assert sorted(p.name for p in folder.iterdir()) == [cyclegan.name, "x.onnx"]


class TestUsage:
    def test_arguments(self, cyclegan, folder, capsys):
        out = folder / "x.onnx"
        assert "name the file or folder of weights" in refused(capsys, "-o", out)
        assert "name the file or folder of weights" in refused(capsys, "cyclegan", "-o", out)
        assert "there is no layout 'cyclegn': choose one of cartoongan," in refused(
            capsys, "cyclegn", cyclegan, "-o", out
        )
        assert "nowhere.pth does not exist" in refused(capsys, "nowhere.pth", "-o", out)
        assert "must end in .onnx" in refused(capsys, cyclegan, "-o", folder / "x.pth")
        assert "--picture belongs to adain" in refused(capsys, cyclegan, "--picture", "a.jpg", "-o", out)
        assert "is not an existing folder" in refused(capsys, cyclegan, "-o", folder / "no" / "x.onnx", status=1)
        assert not out.exists()

    def test_nothing_is_overwritten_unasked(self, cyclegan, folder, capsys):
        out = folder / "x.onnx"
        out.write_bytes(b"precious")
        assert "exists already" in refused(capsys, cyclegan, "-o", out, status=1)
        assert out.read_bytes() == b"precious"
        assert main(["import", str(cyclegan), "-o", str(out), "--overwrite"]) == 0
        assert "is an ONNX file" in refused(capsys, out, "-o", folder / "y.onnx")

    def test_folders_that_do_not_say_which(self, cyclegan, folder, capsys):
        save({}, folder / "latest_net_D.pth")
        error = refused(capsys, folder, "-o", folder / "x.onnx")
        assert "holds 2 of them (latest_net_D.pth, latest_net_G A.pth): name the file" in error

    @pytest.mark.skipif(sys.platform == "win32", reason="it has no such files")
    def test_a_pipe(self, folder, capsys):
        os.mkfifo(folder / "fifo.pth")
        assert "is neither a file nor a folder" in refused(capsys, folder / "fifo.pth", "-o", folder / "x.onnx")

    def test_a_folder_without_weights(self, folder, capsys):
        (folder / "empty").mkdir()
        assert "is a folder that holds none" in refused(capsys, folder / "empty", "-o", folder / "x.onnx")
