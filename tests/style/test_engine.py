"""Which arithmetic runs a style, and that all of them paint the same picture."""

import sys

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.style import engine, read
from sakuga.stylizer import Stylizer


@pytest.fixture(scope="module")
def style(tmp_path_factory):
    """A fast generator with random weights and its int8 variant."""
    torch = pytest.importorskip("torch")
    from sakuga.export.onnx import export
    from sakuga.systems.distill import Distill, DistillConfig

    folder = tmp_path_factory.mktemp("int8")
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8))
    small.resize((128, 96), Image.Resampling.BICUBIC).save(folder / "photo.png")
    torch.manual_seed(0)
    system = Distill(DistillConfig(width=8, blocks=1, inner=4))
    with torch.no_grad():
        system.generator.tail.weight.mul_(20)
    export(system, folder / "f.onnx", name="f", photos=[folder / "photo.png"])
    return read(folder / "f.onnx")


@pytest.fixture(scope="module")
def photo(style):
    return np.array(Image.open(style.path.with_name("photo.png")))


@pytest.fixture
def machine(monkeypatch):
    """Say what the machine can."""

    def say(*, int8=False, providers=()):
        monkeypatch.setattr(engine, "fast_int8", lambda: int8)
        monkeypatch.setattr(engine, "providers", lambda: [*providers, "CPUExecutionProvider"])

    return say


class TestPick:
    def test_int8_where_the_processor_is_made_for_it(self, style, machine):
        machine(int8=True)
        assert engine.pick(style).precision == "int8"
        machine(int8=False)
        assert engine.pick(style).precision == "fp32"

    def test_a_gpu_comes_first(self, style, machine):
        machine(int8=True, providers=["CUDAExecutionProvider"])
        assert engine.pick(style).precision == "fp32"

    def test_a_style_without_int8(self, tmp_path, machine):
        machine(int8=True)
        plain = read(make_style(tmp_path / "plain.onnx"))
        assert engine.pick(plain).precision == "fp32"
        with pytest.raises(UsageError, match="style plain has no int8 variant"):
            engine.pick(plain, "int8")

    def test_bf16_needs_openvino(self, style, monkeypatch):
        monkeypatch.setitem(sys.modules, "openvino", None)
        with pytest.raises(UsageError, match=r"pip install \"sakuga\[openvino\]\""):
            engine.pick(style, "bf16")

    def test_another_precision(self, style):
        with pytest.raises(UsageError, match="precision must be one of auto, fp32, int8, bf16, not 'fp64'"):
            Stylizer(style, precision="fp64")


class TestPictures:
    @pytest.mark.parametrize("precision", ["int8", "bf16"])
    @pytest.mark.parametrize("options", [{}, {"strength": 0.5}, {"keep_color": True}], ids=["full", "half", "colour"])
    def test_all_paint_the_same(self, style, photo, precision, options):
        if precision == "bf16":
            pytest.importorskip("openvino")
        wanted = Stylizer(style, precision="fp32", **options).array(photo).astype(int)
        found = Stylizer(style, precision=precision, **options).array(photo)
        assert np.abs(wanted - photo).mean() > 3
        assert np.abs(found - wanted).mean() < 2.55  # one hundredth of the range

    def test_sixteen_bits_stay_sixteen(self, style, photo):
        deep = photo.astype(np.uint16) * 257 + 3
        assert np.array_equal(
            Stylizer(style, precision="int8").array(deep), Stylizer(style, precision="fp32").array(deep)
        )

    @pytest.mark.parametrize("size", [(1, 1), (61, 83), (96, 128)])
    def test_every_size(self, style, photo, size):
        piece = photo[: size[0], : size[1]]
        assert Stylizer(style, precision="int8").array(piece).shape == piece.shape

    def test_tiles_equal_the_whole(self, style, photo, monkeypatch):
        large = np.tile(photo, (2, 2, 1))[:, :230]
        whole = Stylizer(style, precision="int8").array(large)
        monkeypatch.setattr("sakuga.stylizer.painter.MAX_TILE_PIXELS", 0)
        assert np.array_equal(Stylizer(style, precision="int8").array(large), whole)


def test_a_damaged_variant_is_told(style, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(style.path)
    next(entry for entry in model.metadata_props if entry.key == "sakuga.int8").value = "no base64!"
    onnx.save(model, tmp_path / "damaged.onnx")
    with pytest.raises(SakugaError, match="its int8 variant is damaged"):
        read(tmp_path / "damaged.onnx")
