"""The int8 variant of a fast generator: the same picture from whole numbers."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from sakuga.errors import SakugaError
from sakuga.export.int8 import int8_variant, quantize
from sakuga.networks.fast import FastGenerator

KINDS = {
    "residual": {},
    "inner": {"inner": 5, "blocks": 3},
    "painting": {"residual": False},
    "reflecting": {"reflect": True},
    "halves": {"factor": 2, "residual": False, "reflect": True},
}


def network(**options):
    torch.manual_seed(3)
    return FastGenerator(**{"width": 8, "blocks": 2, **options}).eval()


def photo(height, width, seed=0):
    """Smooth colours with some noise, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
    noisy = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)) + rng.normal(0, 8, (height, width, 3))
    return noisy.round().clip(0, 255).astype(np.uint8)


def tensor(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


def paint(model, pixels):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"pixels": pixels[None]})[0][0]


@torch.inference_mode()
def wanted(net, pixels):
    return ((net(tensor(pixels))[0].clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(48, 64), (100, 52)])
def test_paints_what_the_network_paints(kind, size):
    net = network(**KINDS[kind])
    with torch.no_grad():
        net.tail.weight.mul_(10)  # an untrained network changes its photo so little that nothing would be compared
    pixels = photo(*size)
    expected = wanted(net, pixels)
    found = paint(quantize(net, [tensor(photo(96, 96, seed)) for seed in (1, 2)]), pixels)
    assert found.dtype == np.uint8
    assert found.shape == pixels.shape
    assert np.abs(expected - pixels).mean() > 10
    assert np.abs(found - expected).mean() < 2.55  # the limit of one hundredth
    assert abs((found - expected).mean()) < 0.7  # and no tone of its own


def test_nothing_painted_is_the_photo_bit_for_bit():
    net = network()
    torch.nn.init.zeros_(net.tail.weight)
    pixels = photo(40, 64)
    assert np.array_equal(paint(quantize(net, [tensor(pixels)]), pixels), pixels)


@pytest.mark.parametrize("level", [0, 1, 127, 128, 200, 255])
def test_a_painted_level_is_met_exactly(level):
    """A network without residual that paints one value everywhere: -1 + level / 127.5."""
    net = network(residual=False)
    torch.nn.init.zeros_(net.tail.weight)
    torch.nn.init.constant_(net.tail.bias, -1 + level / 127.5)
    pixels = photo(16, 24)
    assert np.unique(paint(quantize(net, [tensor(pixels)]), pixels)).tolist() == [level]


def test_runs_in_integer_arithmetic(tmp_path):
    """ONNX Runtime fuses every convolution and sum; one left in floats would cost more than it saves."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    model = quantize(network(), [tensor(photo(48, 48))]).SerializeToString()
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    operators = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert operators["QLinearConv"] == 6  # head, two blocks of two, tail
    assert operators["QLinearAdd"] == 3  # two blocks and the photo
    assert not operators.keys() & {"Conv", "Add", "Relu", "QuantizeLinear", "DequantizeLinear"}


def test_no_photos():
    with pytest.raises(ValueError, match="photos is empty"):
        quantize(network(), [])


def test_a_variant_too_far_off_is_refused(tmp_path, monkeypatch):
    Image.fromarray(photo(64, 48)).save(tmp_path / "p.png")
    assert int8_variant(network(), [tmp_path / "p.png"])
    monkeypatch.setattr("sakuga.export.int8.LIMIT", 1e-6)
    with pytest.raises(SakugaError, match=r"differs by 0\.00\d\d, more than 1e-06"):
        int8_variant(network(), [tmp_path / "p.png"])
