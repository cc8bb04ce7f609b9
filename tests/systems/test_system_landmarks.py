"""Landmarks: what a heat map is, what is read of it, and that a network learns to make it."""

import io
import json

import numpy as np
import onnxruntime as ort
import pytest
import torch
from known import Known
from PIL import Image
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.networks.landmarks import LandmarkRegressor, draw_heatmaps, read_heatmaps
from sakuga.systems.landmarks import LandmarkDetector, Marked
from sakuga.training.trainer import Trainer

POINTS = ((12, 14), (26, 13), (20, 20), (14, 28), (27, 29))


def mark(folder, kinds=("photos", "style")):
    """Write five landmarks beside the name of every picture, in `marks/KIND`."""
    for kind in kinds:
        place = folder / "marks" / kind
        if folder.exists() and not place.exists():
            place.mkdir(parents=True)
            for i, path in enumerate(sorted((folder / kind).glob("*.png"))):
                points = [[x + i, y + i] for x, y in POINTS]
                width, height = Image.open(path).size
                found = {"width": width, "height": height, "points": points}
                (place / f"{path.stem}.landmarks.json").write_text(json.dumps(found), encoding="utf-8")
    return folder / "marks"


TINY = Tiny(
    LandmarkDetector,
    lambda folder: {"landmarks": mark(folder) / "photos", "load": 36, "width": 4, "levels": 3, "lr": 2e-2},
    falls=("R/heatmaps", 0.8),
)


def test_a_heatmap_is_a_gaussian_of_height_one():
    maps = draw_heatmaps(torch.tensor([[[3.0, 5.0], [-1.0, 0.0]]]), (9, 12), sigma=2.0)
    assert maps.shape == (1, 2, 9, 12)
    assert maps[0, 0, 5, 3] == 1
    assert maps[0, 0, 5, 6].item() == pytest.approx(np.exp(-9 / 8))
    assert maps[0, 1, 0, 0].item() == pytest.approx(np.exp(-1 / 8))


def test_what_was_drawn_is_read():
    points = torch.tensor([[[20.3, 31.7], [40.0, 12.25]], [[9.5, 50.0], [33.3, 33.3]]])
    maps = draw_heatmaps(points, (64, 64), sigma=2.5)
    assert_close(read_heatmaps(maps), points, atol=0.05, rtol=0)
    assert_close(read_heatmaps(0.4 * maps + 0.05 * torch.rand(maps.shape)), points, atol=0.3, rtol=0)
    assert_close(read_heatmaps(torch.zeros(1, 1, 5, 9)), torch.tensor([[[4.0, 2.0]]]))


class Read(nn.Module):
    """`read_heatmaps` as a network."""

    def forward(self, heatmaps):
        return read_heatmaps(heatmaps)


def test_onnx_runtime_reads_faint_maps_as_exactly():
    """Of a landmark at the edge, faintly seen, it was 1e-3 pixels off, and the style was not exported."""
    faint = 0.1 * draw_heatmaps(torch.tensor([[[150.3, 5.6]]]), (96, 160), sigma=1.0)
    file = io.BytesIO()
    torch.onnx.export(Read(), (faint,), file, input_names=["maps"], opset_version=17, dynamo=False)
    (found,) = ort.InferenceSession(file.getvalue()).run(None, {"maps": faint.numpy()})
    assert_close(torch.from_numpy(found).double(), read_heatmaps(faint.double()), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("points", "width", "levels"), [(5, 64, 5), (68, 16, 4)])
def test_the_network(points, width, levels):
    """4x4 kernels there and back, biases everywhere; a stage of the way up also gets what the way down had."""
    widths = [width * min(2**i, 8) for i in range(levels)]
    down = sum((16 * a + 1) * b for a, b in zip([3, *widths], widths, strict=False))
    ups = list(zip([widths[-1], *(2 * w for w in widths[-2:0:-1])], widths[-2::-1], strict=True))
    expected = down + sum((16 * a + 1) * b for a, b in ups) + (16 * 2 * width + 1) * points
    with torch.device("meta"):
        network = LandmarkRegressor(points, width=width, levels=levels)
    assert sum(p.numel() for p in network.parameters()) == expected
    side = 2 * network.multiple
    found = LandmarkRegressor(points, width=4, levels=levels)(torch.rand(1, 3, side, side + network.multiple))
    assert found.shape == (1, points, side, side + network.multiple)
    assert ((found > 0) & (found < 1)).all()


def test_landmarks_of_pictures_never_seen_are_found(tmp_path):
    """Faces of random colours with dark eyes, a light nose and a red mouth at random places."""
    rng = np.random.default_rng(0)
    folder, kept = tmp_path / "photos", []
    folder.mkdir()
    for number in range(60):
        picture = np.zeros((32, 32, 3), np.uint8) + rng.integers(120, 220, 3, np.uint8)
        x, y = rng.integers(9, 14), rng.integers(8, 13)
        points = [(x, y), (x + 10, y), (x + 5, y + 6), (x + 1, y + 11), (x + 9, y + 11)]
        for (px, py), color in zip(points, [(10, 10, 40)] * 2 + [(250, 250, 240)] + [(160, 10, 10)] * 2, strict=True):
            picture[py - 1 : py + 2, px - 1 : px + 2] = color
        if number < 50:
            Image.fromarray(picture).save(folder / f"{number}.png")
            (folder / f"{number}.txt").write_text("\n".join(f"{px} {py}" for px, py in points), encoding="utf-8")
        else:
            kept.append((picture, points))
    torch.manual_seed(0)
    config = LandmarkDetector.Config(
        photos=(folder,), crop=32, load=32, batch=8, width=8, levels=3, lr=5e-3, sigma=1.5, steps=60
    )
    system = LandmarkDetector(config)
    system.load()
    trainer = Trainer(system, tmp_path / "run")
    trainer.fit(60)
    images = torch.from_numpy(np.stack([picture for picture, _ in kept])).permute(0, 3, 1, 2) / 127.5 - 1
    found = read_heatmaps(trainer.averages["regressor"].eval()(images))
    assert (found - torch.tensor([points for _, points in kept])).norm(dim=2).median() < 1


def test_marks_lie_on_the_landmarks():
    heatmaps = draw_heatmaps(torch.tensor([[[4.0, 4.0], [12.0, 8.0]]]), (16, 16), sigma=1.0)
    image = torch.full((1, 3, 16, 16), 0.1)
    marked = Marked(Known(lambda gain, image: heatmaps))(image)
    assert_close(marked[0, :, 4, 4], torch.tensor([1.0, -1.0, -1.0]), atol=0.01, rtol=0)
    assert (marked[0, :, 8, 12] - image[0, :, 8, 12]).abs().max() > 0.5
    assert_close(marked[..., 14:, :3], image[..., 14:, :3], atol=1e-3, rtol=0)


def test_what_does_not_fit_is_said(tmp_path):
    data = make_data(tmp_path)
    with pytest.raises(UsageError, match="--crop 36 must be a multiple of 8 with --levels 3"):
        TINY.bare(data, crop=36)
    with pytest.raises(UsageError, match="holds 5 landmarks a face, not 68: `sakuga prepare landmarks --points 68`"):
        TINY.build(data, points=68)
    with pytest.raises(UsageError, match=r"0\.png has no landmarks in .*photos: `sakuga prepare landmarks` makes"):
        TINY.build(data, landmarks=None)
    with pytest.raises(UsageError, match="--landmarks is missing: name the folder of the landmarks of --photos"):
        TINY.build(data, landmarks=None, photos=(data / "photos", data / "style"))
