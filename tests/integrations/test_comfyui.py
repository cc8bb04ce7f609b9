"""The node of ComfyUI, by the contract of its nodes, with tensors as it hands them over."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style

from sakuga import stylize
from sakuga.errors import UsageError

torch = pytest.importorskip("torch")
FOLDER = Path(__file__).parents[2] / "integrations" / "comfyui"


@pytest.fixture
def node(made_style, style_folder):
    (style_folder / "neg.onnx").write_bytes(made_style("invert").read_bytes())
    spec = importlib.util.spec_from_file_location("comfyui_sakuga", FOLDER / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.NODE_CLASS_MAPPINGS["SakugaStylize"]


def test_it_says_what_it_takes(node):
    inputs = node.INPUT_TYPES()
    assert inputs["required"]["image"] == ("IMAGE",)
    assert inputs["required"]["style"][0] == ["neg"]
    assert inputs["required"]["strength"] == ("FLOAT", {"default": 1.0, "min": 0, "max": 1, "step": 0.05})
    assert inputs["required"]["keep_color"] == ("BOOLEAN", {"default": False})
    assert inputs["required"]["brush"] == ("STRING", {"default": "auto"})
    assert inputs["required"]["quality"] == (["auto", "fast", "best"], {"default": "auto"})
    assert node.RETURN_TYPES == ("IMAGE",)


def test_a_batch_comes_back_as_one(node):
    photos = torch.rand(2, 70, 90, 3)
    (results,) = getattr(node(), node.FUNCTION)(photos, "neg", strength=1.0, keep_color=False)
    assert results.shape == photos.shape
    assert (results - (1 - photos)).abs().max() < 1.6 / 255
    (half,) = node().stylize(photos, "neg", strength=0.5, brush="1", quality="fast", precision="fp32")
    assert (half - 0.5).abs().max() < 1.6 / 255
    (wide,) = node().stylize(photos, "neg", strength=0.5, brush="4")
    assert (wide - 0.5).abs().max() > 0.1


def test_one_picture_is_what_the_command_makes_of_it(node, style_folder):
    (style_folder / "neg.onnx").unlink()
    make_style(style_folder / "squares.onnx", "strided")
    photo = torch.randint(0, 256, (1, 70, 90, 3)) / 255
    (made,) = node().stylize(photo, "squares")
    pixels = (photo[0] * 255).round().byte().numpy()
    assert (made[0] * 255).round().byte().numpy().tolist() == np.asarray(stylize(pixels, "squares")).tolist()
    (frames,) = node().stylize(photo.repeat(2, 1, 1, 1), "squares")
    assert (frames[0] - made[0]).abs().max() > 1 / 255  # as of a video, fast


def test_a_reference_and_settings_reach_a_style_that_asks_for_them(node, style_folder):
    make_style(style_folder / "asks.onnx", "asks")
    photo, red = torch.full((1, 64, 64, 3), 0.4), torch.tensor([1.0, 0, 0]).expand(1, 64, 64, 3)
    (made,) = node().stylize(photo, "asks", reference=red, settings="tint=green\n\n gain=0.5\nz=1")
    pixels, other = ((one[0] * 255).round().byte().numpy() for one in (photo, red))
    target = np.asarray(stylize(pixels, "asks", tint="green", gain=0.5, z=1, other=other))
    assert (made[0] * 255).round().byte().numpy().tolist() == target.tolist()
    assert target[0, 0, 0] > target[0, 0, 2] + 100  # of the reference's red


def test_what_cannot_be_is_a_sentence(node):
    with pytest.raises(UsageError, match="there is no style 'gone'"):
        node().stylize(torch.rand(1, 64, 64, 3), "gone")
    with pytest.raises(UsageError, match="brush must be auto or a number"):
        node().stylize(torch.rand(1, 64, 64, 3), "neg", brush="wide")


def test_a_reference_for_a_style_that_takes_none(node):
    with pytest.raises(UsageError, match="neg takes no reference picture"):
        node().stylize(torch.rand(1, 64, 64, 3), "neg", reference=torch.rand(1, 64, 64, 3))
