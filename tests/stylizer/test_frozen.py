"""Styles that measure the whole picture, in tiles."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from sakuga.errors import SakugaError
from sakuga.picture.arrays import normalise, resize
from sakuga.stylizer import Stylizer, painter
from sakuga.stylizer.frozen import freeze

torch = pytest.importorskip("torch")


@dataclass
class Nothing:
    pass


@pytest.fixture(scope="module")
def style(tmp_path_factory):
    """CycleGAN's generator, four channels wide, with random weights."""
    from sakuga.export.onnx import export
    from sakuga.networks.resnet import ResNetGenerator
    from sakuga.systems.base import System

    torch.manual_seed(0)
    system = System(Nothing())
    system.name = "cyclegan"
    system.generator = network = ResNetGenerator(width=4, blocks=1)
    with torch.no_grad():
        network.body[-2].weight.mul_(5)  # as random weights come, the picture would be nearly grey
    folder = tmp_path_factory.mktemp("Ünïcødé 写真 (1)")
    return export(system, folder / "cyclegan.onnx", name="cyclegan")


@pytest.fixture(scope="module")
def photo():
    """Soft shapes of all sizes, brighter to the right: its tiles have other statistics than the whole."""
    rng = np.random.default_rng(0)
    octaves = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (3, 9, 30)]
    parts = [np.asarray(Image.fromarray(o).resize((330, 250), Image.Resampling.BICUBIC), float) for o in octaves]
    return (sum(parts) / 3 * np.linspace(0.3, 1, 330)[:, None]).astype(np.uint8)


def tiles(monkeypatch, room, piece=None):
    monkeypatch.setattr(painter, "available", lambda: 0)
    monkeypatch.setattr(painter, "MIN_PIXELS", room)
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", piece or room)


def whole(style, photo, measured_on):
    """The untiled run with given statistics."""
    engine = freeze(style, 1, normalise(measured_on))
    return np.rint((np.clip(engine.run(normalise(photo)), -1, 1) + 1) * 127.5).transpose(1, 2, 0)


def test_the_card_says_how_far_it_looks(style):
    assert style.card.receptive_field == 0
    # Two 7x7, two strided, two residual and two transposed 3x3 convolutions: 3 + 1 + 2 + 4 + 4 + 2 + 2 + 3 pixels and
    # what the strides lose, to each side.
    assert 2 * 15 < style.card.local_receptive_field < 2 * 40


def test_tiles_equal_the_whole_with_the_same_statistics(style, photo, monkeypatch):
    photo = photo[:248, :328]  # multiples of eight: no padding here that the stylizer does not do
    worker = Stylizer(style, threads=1)
    untiled = worker.array(photo).astype(int)
    tiles(monkeypatch, 160 * 200)
    tiled = worker.array(photo).astype(int)
    height, width = int(248 * (32000 / (248 * 328)) ** 0.5), int(328 * (32000 / (248 * 328)) ** 0.5)
    small = resize(photo, (width, height))
    small = np.pad(small, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="reflect")
    assert np.abs(tiled - whole(style, photo, small)).max() <= 1
    # The statistics of the reduced picture are nearly those of the whole one; a tile's own are not.
    alone = np.concatenate([worker.array(photo[:, x : x + 164]) for x in (0, 164)], axis=1).astype(int)
    assert np.abs(alone - untiled).mean() > 2 * np.abs(tiled - untiled).mean() > 0


def test_statistics_of_the_whole_give_the_untiled_picture(style, photo, monkeypatch):
    """Where memory is enough to measure but a smaller piece is asked for: DESIGN.md's zero."""
    worker = Stylizer(style, threads=1)
    untiled = worker.array(photo).astype(int)
    tiles(monkeypatch, photo.shape[0] * photo.shape[1] - 1, piece=150**2)
    monkeypatch.setattr(
        painter.Painter, "_reduced", lambda *_: normalise(np.pad(photo, ((0, 2), (0, 2), (0, 0)), "reflect"))
    )
    assert np.abs(worker.array(photo).astype(int) - untiled).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (701, 13)])
def test_sizes(style, shape, monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    tiles(monkeypatch, 1000, 150**2)
    assert Stylizer(style, threads=1).array(picture).shape == picture.shape


def test_out_of_memory_on_the_whole_means_tiles(style, photo, monkeypatch):
    worker = Stylizer(style, threads=1)
    untiled, failed = worker.array(photo), []

    class Starving:
        whole, fix = False, None

        def run(self, x):
            failed.append(x.shape)
            raise RuntimeError("Failed to allocate memory for requested buffer of size 1")

    monkeypatch.setattr(worker, "engine", Starving())
    result = worker.array(photo)
    assert failed == [(3, 252, 332)]
    assert 0 < np.abs(result.astype(int) - untiled).mean() < 20  # random weights: a trained network differs far less


def test_a_network_that_fails_is_told(style, monkeypatch):
    """Not as an error of ONNX Runtime's."""
    with pytest.raises(SakugaError, match=r"style cyclegan cannot be run in tiles .*export it again"):
        freeze(style, 1, np.zeros((3, 1, 1), np.float32))
