"""AutoToon: what is special about it."""

import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tiny import Tiny, make_data
from torch.testing import assert_close

from sakuga.errors import SakugaError, UsageError
from sakuga.export.onnx import export
from sakuga.losses import warp_smoothness
from sakuga.networks.autotoon import Caricature, Warper, enlarge_warp, warp_picture
from sakuga.style.checksum import weights_sha256
from sakuga.stylizer import Stylizer
from sakuga.systems.autotoon import AutoToon
from sakuga.systems.parts.augment import color_jitter


def fields(folder):
    """Squares of the photos, as caricatures the same moved, and the warps that move them."""
    toon = folder / "toon"
    if folder.exists() and not toon.exists():
        warps = {}
        for kind in ("photo", "target"):
            (toon / kind).mkdir(parents=True)
        for path in sorted((folder / "photos").glob("*.png")):
            square = Image.open(path).crop((0, 0, 40, 40))
            square.save(toon / "photo" / path.name)
            square.transform((40, 40), Image.Transform.AFFINE, (1, 0, 3, 0, 1, 0)).save(toon / "target" / path.name)
            warps[path.stem] = np.stack([np.full((4, 4), 6 / 39), np.zeros((4, 4))]).astype(np.float32)
        np.savez(toon / "warps.npz", **warps)
    return {"photos": (toon / "photo",), "targets": toon / "target", "warps": toon / "warps.npz", "lr": 2e-3}


TINY = Tiny(AutoToon, fields, falls=("W/warp", 0.9), batch_statistics="batch norm")


@pytest.fixture
def data(tmp_path):
    return make_data(tmp_path / "data")


def test_the_papers_network():
    network = Warper()
    assert sum(p.numel() for p in network.parameters()) == 1_604_594
    assert network(torch.zeros(1, 3, 64, 96)).shape == (1, 2, 8, 12)
    assert network(torch.zeros(1, 3, 256, 256)).shape == (1, 2, 32, 32)
    assert sum(p.numel() for p in Warper(24).parameters()) == 231_164


def test_no_warp_is_the_picture_itself_and_a_constant_one_moves_it():
    image = torch.rand(2, 3, 9, 17)
    assert_close(warp_picture(image, torch.zeros(2, 2, 9, 17)), image, atol=1e-6, rtol=0)
    warp = torch.zeros(2, 2, 9, 17)
    warp[:, 0] = 2 * 2 / 16  # two pixels to the right is what each place shows
    assert_close(warp_picture(image, warp)[..., :-2], image[..., 2:], atol=1e-5, rtol=0)
    assert_close(enlarge_warp(warp[..., :3, :5], (9, 17)), warp, atol=1e-6, rtol=0)


def test_a_mirrored_pair_has_a_mirrored_warp(data):
    """The official code's flip, of the rows and without a change of sign, would make it worse than no warp."""
    system = TINY.build(data, batch=8, crop=40)
    batch = system.batch(0, 0, 1)
    mirrored = batch["warp"][:, 0].mean((1, 2)) < 0
    assert 0 < mirrored.sum() < 8
    warped = warp_picture(batch["photo"], enlarge_warp(batch["warp"], (40, 40)))
    inner = slice(4, -4)
    for ours, target in ((warped, 0.06), (batch["photo"], 9.0)):
        distance = (ours - batch["target"])[..., inner, inner].abs().mean((1, 2, 3))
        assert (distance < target).all()
    wrong = warp_picture(
        batch["photo"], enlarge_warp(batch["warp"].abs() * torch.tensor([1.0, 0])[:, None, None], (40, 40))
    )
    assert (wrong - batch["target"])[mirrored].abs().mean() > (batch["photo"] - batch["target"])[mirrored].abs().mean()


def test_a_step_by_hand(data):
    system = TINY.build(data, jitter=0.0, crop=32, smoothness=0.01)
    batch = system.batch(0, 0, 1)
    warp = torch.rand(2, 2, 4, 4, generator=torch.Generator().manual_seed(0)) / 10
    system.warper.forward = lambda image: warp
    ((player, terms),) = system.step(batch, 0)
    fine = F.interpolate(warp, size=(32, 32), mode="bilinear", align_corners=True)
    std = torch.tensor([0.0846, 0.0753, 0.0727]).view(1, 3, 1, 1)
    moved = warp_picture(batch["photo"], fine)
    assert player == "W"
    assert_close(terms["reconstruction"], ((moved - batch["target"]) / 2 / std).abs().mean())
    assert_close(terms["warp"], 0.7 * (warp - batch["warp"]).abs().mean())
    assert_close(terms["smoothness"], 0.01 * warp_smoothness(fine, reduction="sum"))
    assert [round(system.rate(t, "W"), 4) for t in (0, 499, 500, 1000)] == [1, 1, 0.95, 0.9025]


def test_colours_vary_alike_in_a_pair():
    image = torch.rand(3, 3, 5, 6) * 0.5 - 0.25
    assert_close(color_jitter(image, torch.zeros(3, 4)), image, atol=1e-6, rtol=0)
    gray = torch.full((1, 3, 4, 4), 0.2)
    assert_close(color_jitter(gray, torch.tensor([[0.0, 0.3, -0.4, 0.5]])), gray, atol=1e-6, rtol=0)
    bright = color_jitter(gray, torch.tensor([[0.1, 0, 0, 0]]))
    assert_close(bright, torch.full_like(gray, 0.6 * 1.1 * 2 - 1), atol=1e-6, rtol=0)
    red = torch.tensor([0.5, -0.5, -0.5]).view(1, 3, 1, 1)
    third = color_jitter(red, torch.tensor([[0.0, 0, 0, 2 / 3]]))  # a third of a turn
    assert_close(third.flatten(), torch.tensor([-0.5, 0.5, -0.5]), atol=1e-6, rtol=0)


def test_none_is_the_photo_and_twice_is_twice_as_far():
    class Right(torch.nn.Module):
        def forward(self, image):
            return torch.tensor([4 / 63, 0.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4)  # 2 pixels of 64

    caricature = Caricature(Right(), 32)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    image = torch.stack([x, y, x])[None] / 64 - 0.5
    assert_close(caricature(image, torch.zeros(1)), image, atol=1e-5, rtol=0)
    for times in (1.0, 2.0):
        made = caricature(image, torch.tensor([times]))
        assert_close(
            made[..., 20:40, 20:40],
            image[..., 20:40, 20:40] + times * torch.tensor([2 / 64, 0, 2 / 64]).view(3, 1, 1),
            atol=1e-5,
            rtol=0,
        )
        assert_close(made[..., :, 0], image[..., :, 0], atol=1e-5, rtol=0)  # nothing moves at the edge
    assert_close(Caricature(Right(), 32, gain=2.0)(image, torch.ones(1)), caricature(image, torch.full((1,), 2.0)))


def test_the_style_takes_the_exaggeration_and_a_frame(data, tmp_path):
    system = TINY.build(data)
    with torch.no_grad():
        system.warper.head.weight.mul_(1e-3)  # untrained, it would throw pixels across the whole picture
    whole = export(system, tmp_path / "whole.onnx", name="whole")
    style = export(system, tmp_path / "caricature.onnx", name="caricature", half=True)
    assert style.size < 0.51 * whole.size
    assert weights_sha256(style.path) == style.card.sha256 != whole.card.sha256
    assert [one.name for one in style.card.settings] == ["exaggeration", "frame"]
    assert (style.card.frame.side, style.card.frame.max_side, len(style.card.frame.template)) == (32, 2048, 5)
    photo = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    twice = {"frame": "whole", "exaggeration": 2}
    made, wanted = (Stylizer(one, inputs=twice).array(photo).astype(int) for one in (style, whole))
    assert np.abs(made - wanted).mean() < 0.5
    same = Stylizer(style, inputs={"frame": "whole", "exaggeration": 0}).array(photo)
    assert np.abs(same.astype(int) - photo).max() <= 1


def test_weights_of_senet_are_loaded_by_their_names(data, tmp_path):
    other = Warper()
    torch.save(
        {name: value for name, value in other.state_dict().items() if not name.startswith("head")}, tmp_path / "s.pth"
    )
    system = TINY.build(data, senet=tmp_path / "s.pth")
    assert_close(system.warper.layer2[3].se.fc1.weight, other.layer2[3].se.fc1.weight)
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "s.pth")
    with pytest.raises(UsageError, match=r"--senet .* does not hold SENet-50's weights"):
        TINY.build(data, senet=tmp_path / "s.pth")
    (tmp_path / "s.pth").write_bytes(b"")
    with pytest.raises(SakugaError, match=r"s\.pth is empty"):
        TINY.build(data, senet=tmp_path / "s.pth")


def test_what_is_missing(data):
    with pytest.raises(UsageError, match="--warps is missing"):
        TINY.build(data, warps=None)
    with pytest.raises(UsageError, match="--targets is missing"):
        TINY.build(data, targets=None)
    shutil.rmtree(data / "toon")
