"""Samples of a run: what its fixed inputs become, and the sheets that show it."""

import numpy as np
import torch
from artefacts import HAIR, conditional

from sakuga.systems.base import Preview
from sakuga.training.preview import pairs, samples


def numbered(count, height=2, width=3):
    return np.broadcast_to(np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None], (count, height, width, 3))


def test_a_result_below_its_photo():
    sheet = pairs(numbered(2), numbered(2, 4, 6) + 10)
    assert sheet.shape == (8, 12, 3)
    assert sheet[::4, ::6, 0].tolist() == [[1, 2], [11, 12]]


def test_photos_with_other_inputs_are_each_run_with_their_own(tmp_path):
    system = conditional(HAIR)
    photo = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    preview = Preview({"image": photo.expand(3, -1, -1, -1), "hair": torch.eye(3)}, None)
    made, sheet = samples(system, preview, tmp_path / "style.onnx")
    with torch.inference_mode():
        target = system.generator.eval()(preview.inputs["image"], preview.inputs["hair"])
    levels = ((target.clamp(-1, 1) + 1) * 127.5).permute(0, 2, 3, 1).numpy()
    assert np.abs(made - levels).max() <= 0.5 + 0.02
    assert np.abs(made[0].astype(int) - made[1]).max() > 1
    assert sheet.shape == (64, 96, 3)  # the photos above
