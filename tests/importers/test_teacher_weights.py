"""CartoonGAN's originals: the pictures published with them, and the same weights as a teacher."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from published import Cartoongan, randomised

from sakuga import importers
from sakuga.data.images import to_tensor, to_uint8
from sakuga.data.teachers import load_teacher


@pytest.mark.parametrize(("picture", "style", "limit"), [("4--24", "Hayao", 0.0134), ("7--88", "Hosoda", 0.0152)])
def test_published_pictures(picture, style, limit, shared_data):
    """The published outputs come back, to within their own JPEG coding (the limits are measured, plus 5 %)."""
    photo = Image.open(shared_data / "golden" / f"{picture}.jpg").convert("RGB")
    long, short = max(photo.size), min(photo.size)
    size = (450, int(450 * short / long)) if photo.width >= photo.height else (int(450 * short / long), 450)
    image = to_tensor(np.asarray(photo.resize(size, Image.Resampling.BICUBIC)))
    network = importers.read(shared_data / f"cartoongan-{style.lower()}.npz", "cartoongan")
    with torch.inference_mode():
        found = to_uint8(network(image))[0]
    buffer = io.BytesIO()
    Image.fromarray(found).save(buffer, "JPEG", quality=75)
    wanted = np.asarray(Image.open(shared_data / "golden" / f"{picture}_{style}.jpg").convert("RGB")).astype(float)
    assert np.abs(found - wanted).mean() / 255 < limit * 1.05
    assert np.abs(np.asarray(Image.open(buffer)).astype(float) - wanted).mean() / 255 < 0.012


def test_a_folder_is_a_teacher(tmp_path):
    for name, tensor in randomised(Cartoongan(width=8)).state_dict().items():
        np.save(tmp_path / f"{name}.npy", tensor.numpy())
    photos = [np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)] * 2
    stylise, key = load_teacher(str(tmp_path), photos)
    assert stylise(photos[0][:30, :29]).shape == (30, 29, 3)
    assert load_teacher(str(tmp_path), photos, freeze=0)[1] != key
