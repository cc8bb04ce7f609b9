"""One picture as an array or a tensor."""

import numpy as np
import pytest
import torch
from PIL import Image

from sakuga.data.dataset import place_crops
from sakuga.data.images import load_image, to_tensor, to_uint8
from sakuga.errors import SakugaError


def test_crops_are_aligned():
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 255, (40, 50, 3), dtype=np.uint8), rng.integers(0, 255, (12, 90, 3), dtype=np.uint8)]
    inverted = [255 - p for p in photos]
    crops = place_crops([0, 1] * 4, [p.shape[:2] for p in photos], size=16, rng=np.random.default_rng(0))
    a, b = (to_tensor(np.stack([crop.cut(side[crop.index]) for crop in crops])) for side in (photos, inverted))
    assert a.shape == (8, 3, 16, 16)
    assert torch.allclose(a, -b, atol=1e-6)


def test_tensors_and_pixels_round_trip():
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    tensor = to_tensor(every)
    assert (tensor.min(), tensor.max()) == (-1, 1)
    assert np.array_equal(to_uint8(tensor)[0], every)


def test_orientation_and_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    assert load_image(tmp_path / "a.jpg").shape == (40, 20, 3)
    assert load_image(tmp_path / "a.jpg", max_side=10).shape == (10, 5, 3)


def test_a_strip_is_refused(tmp_path):
    Image.new("RGB", (1, 300)).save(tmp_path / "strip.png")
    with pytest.raises(SakugaError, match=r"strip.png is a strip of 1x300"):
        load_image(tmp_path / "strip.png", short_side=286)
    assert load_image(tmp_path / "strip.png").shape == (300, 1, 3)
