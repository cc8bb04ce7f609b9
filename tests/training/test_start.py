"""A style file's weights go back into the networks that it came from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.export.palette import recolor
from sakuga.style import load
from sakuga.style.context import thumbnail
from sakuga.systems.autotoon import AutoToon, AutoToonConfig
from sakuga.systems.distill import Distill, DistillConfig
from sakuga.training.start import begin_from

SMALL = {"width": 40, "blocks": 1, "inner": 8}  # whose kernels are large enough for 16 bits


@pytest.mark.parametrize("name", ["cel", "anime", "hayao"])  # weights in 32 bits, in 16, with a context
def test_an_embedded_style_goes_back_and_paints_the_same(name):
    style = load(name)
    system = Distill(DistillConfig(context=style.context is not None))
    assert list(begin_from(Path(name), system)) == ["generator"]
    rgb = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    image, small = (torch.tensor(one).permute(2, 0, 1)[None] / 127.5 - 1 for one in (rgb, thumbnail(rgb)))
    looked = {} if style.context is None else style.look_at(rgb)
    (expected,) = style.session().run(["stylised"], {"image": image.numpy(), **looked})
    with torch.inference_mode():
        painted = system.generator(image, *([small] if looked else [])).clamp(-1, 1).numpy()
    if film := style.card.palette:  # which is the file's, not the generator's
        painted = recolor(painted.transpose(0, 2, 3, 1), film).transpose(0, 3, 1, 2)
    assert np.abs(painted - expected).max() <= 1e-4


@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize("half", [False, True])
def test_every_weight_comes_back(context, half, tmp_path):
    one, other = Distill(DistillConfig(context=context, **SMALL)), Distill(DistillConfig(context=context, **SMALL))
    with torch.no_grad():
        for weight in one.generator.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    export(one, tmp_path / "mine.onnx", name="mine", half=half)
    found = begin_from(tmp_path / "mine.onnx", other)
    assert found.keys() == {"generator"}
    for name, weight in one.generator.state_dict().items():
        kept = weight.half().float() if half and weight.numel() >= 1024 else weight
        assert torch.equal(other.generator.state_dict()[name], kept), name
        assert torch.equal(found["generator"][name], kept), name


@pytest.mark.parametrize(
    "system",
    [
        lambda: Distill(DistillConfig(context=True)),  # wants an encoder, too
        lambda: Distill(DistillConfig(width=48)),
        lambda: Distill(DistillConfig(blocks=2)),  # all that it asks for is there, and more
        lambda: AutoToon(AutoToonConfig()),
    ],
)
def test_a_style_with_another_network_is_refused(system):
    with pytest.raises(UsageError, match=r"^--init cel: the network of this style, made by distill, is not the one"):
        begin_from(Path("cel"), system())


def test_a_style_whose_layers_were_joined_is_refused():
    system = AutoToon(AutoToonConfig(width=32))  # its own: the export has taken its batch norms into convolutions
    with pytest.raises(UsageError, match="a run's folder always fits its kind"):
        begin_from(Path("caricature"), system)
