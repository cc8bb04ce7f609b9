"""Style files that know the whole picture."""

import base64

import numpy as np
import onnx
import pytest
from PIL import Image

from sakuga.style import CONTEXT, read
from sakuga.style.context import thumbnail
from sakuga.stylizer import Stylizer

torch = pytest.importorskip("torch")


def soft(size, seed, low=0, high=256):
    small = np.random.default_rng(seed).integers(low, high, (5, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def system():
    from sakuga.systems.distill import Distill, DistillConfig

    torch.manual_seed(0)
    system = Distill(DistillConfig(width=8, blocks=2, inner=4, context=True))
    with torch.no_grad():
        system.generator.body.tail.weight.mul_(10)
        torch.nn.init.normal_(system.generator.encoder.last.weight, std=0.3)
    return system


@pytest.fixture(scope="module")
def style(system, tmp_path_factory):
    from sakuga.export.onnx import export

    folder = tmp_path_factory.mktemp("context")
    photos = [folder / f"{seed}.png" for seed in range(3)]
    for seed, path in enumerate(photos):
        Image.fromarray(soft((128, 96), seed)).save(path)
    return export(system, folder / "c.onnx", name="c", photos=photos)


@pytest.fixture(scope="module")
def photo():
    return soft((240, 160), 7, 60, 200)


def test_thumbnails_are_means():
    picture = np.random.default_rng(0).integers(0, 256, (128, 192, 3), dtype=np.uint8)
    found = thumbnail(picture)
    assert found.shape == (64, 64, 3)
    assert np.abs(found[5, 9].astype(float) - picture[10:12, 27:30].mean((0, 1))).max() <= 1  # Pillow rounds twice
    deep = picture.astype(np.uint16) * 257
    assert np.array_equal(thumbnail(deep), found)
    assert thumbnail(picture[:1, :1]).shape == (64, 64, 3)


def test_fp32_is_the_network(system, style, photo):
    whole = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    small = torch.from_numpy(thumbnail(photo).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        expected = (system.generator(whole, small)[0].clamp(-1, 1).permute(1, 2, 0) + 1) * 127.5
    found = Stylizer(style, precision="fp32").array(photo)
    assert np.abs(found - expected.numpy()).max() <= 0.51
    assert np.abs(found.astype(int) - photo).mean() > 3


def test_int8_is_near(style, photo):
    exact, found = (Stylizer(style, precision=p).array(photo).astype(int) for p in ("fp32", "int8"))
    assert np.abs(exact - found).mean() < 1.5
    average = style.session(int8=True).run(None, {"pixels": photo[None]})[0][0]
    assert np.abs(exact - average).mean() > 2 * np.abs(exact - found).mean()


def test_bf16_is_near(style, photo):
    pytest.importorskip("openvino")
    exact, found = (Stylizer(style, precision=p).array(photo).astype(int) for p in ("fp32", "bf16"))
    assert np.abs(exact - found).mean() < 0.8
    session = style.session()
    average = session.run(None, {"image": photo.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1})[0][0]
    average = (average.transpose(1, 2, 0) + 1) * 127.5
    assert np.abs(exact - average).mean() > 2 * np.abs(exact - found).mean()


def test_another_picture_around_it_changes_a_part(style, photo):
    dark = np.concatenate([photo, np.zeros_like(photo)])
    for precision in ("fp32", "int8"):
        stylizer = Stylizer(style, precision=precision)
        alone, beside = (stylizer.array(p)[:100].astype(int) for p in (photo, dark))
        assert np.abs(alone - beside).mean() > 0.5


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_tiles_equal_the_whole(style, photo, precision, monkeypatch):
    stylizer = Stylizer(style, precision=precision)
    whole = stylizer.array(photo)
    monkeypatch.setattr("sakuga.stylizer.painter.MAX_TILE_PIXELS", 160**2)
    assert np.abs(stylizer.array(photo).astype(int) - whole).max() <= 1


def test_a_picture_of_16_bits(style, photo):
    deep = Stylizer(style).array(photo.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - Stylizer(style, precision="fp32").array(photo)).max() <= 1


def test_the_file_can_be_run_without_a_context(style, photo):
    """By whoever knows nothing of it: an average picture then."""
    model = onnx.load(style.path)
    assert [one.name for one in model.graph.input] == ["image", "context"]
    assert model.graph.initializer[-1].name == "context"
    assert style.session().run(None, {"image": np.zeros((1, 3, 8, 8), np.float32)})[0].shape == (1, 3, 8, 8)


def test_a_damaged_encoder_is_told(style, tmp_path):
    from sakuga.errors import SakugaError

    model = onnx.load(style.path)
    next(entry for entry in model.metadata_props if entry.key == CONTEXT).value = base64.b64encode(b"none").decode()
    onnx.save(model, tmp_path / "d.onnx")
    with pytest.raises(SakugaError, match=r"d\.onnx is no style"):
        Stylizer(read(tmp_path / "d.onnx")).array(np.zeros((8, 8, 3), np.uint8))
