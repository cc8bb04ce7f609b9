"""AnimeGANv3: what is special about it."""

import numpy as np
import onnx
import pytest
import torch
from tiny import Tiny, make_data

from sakuga.data.derived.segments import regions
from sakuga.data.derived.smoothing import l0_smooth, non_local_means
from sakuga.data.images import to_tensor, to_uint8
from sakuga.errors import UsageError
from sakuga.export.trace import trace
from sakuga.losses import (
    content,
    gray_style,
    grayscale,
    guided_filter,
    l1,
    lab_color,
    superpixel_colors,
    total_variation,
)
from sakuga.systems.animegan3 import AnimeGANv3

TINY = Tiny(
    AnimeGANv3,
    lambda folder: {
        "style": (folder / "style",),
        "load": 40,
        "width": 4,
        "warmup": 3,
        "cache": folder / "segments",
        "features_weights": "random:0",
        "lr": 1e-3,
    },
    falls=("G/color", 0.9),
    # There is a batch norm, but in the first steps, of which the generic test takes one, its input hardly varies, and ε
    # swallows it: see test_the_attention_has_batch_statistics.
    batch_statistics="",
)

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def shinkai(data, **fields):
    return TINY.build(data, **(AnimeGANv3.presets["shinkai"] | fields))


@pytest.mark.parametrize(("preset", "main_too"), [("hayao", True), ("shinkai", False)])
def test_first_it_learns_content(data, preset, main_too):
    system = TINY.build(data, **AnimeGANv3.presets[preset])
    (turn,) = system.step(system.batch(0, 0, 1), 2)
    assert (turn[0], set(turn[1])) == ("warmup", {"content", "main_content"} if main_too else {"content"})


def test_published_values():
    """Where the official code's two files differ, and what they share."""
    hayao, shinkai = (AnimeGANv3.Config(**AnimeGANv3.presets[name]) for name in ("hayao", "shinkai"))
    assert (hayao.style_weight, shinkai.style_weight) == ((0.1, 5, 25), (0.1, 2, 28))
    assert (hayao.region, hayao.region_photo, shinkai.region, shinkai.region_photo) == (0.2, 0.2, 0.8, 0.5)
    assert (hayao.color, hayao.smooth, hayao.gray_edges) == (10, 1e-3, 2)
    assert (shinkai.color, shinkai.smooth, shinkai.gray_edges) == (8, 1e-4, 5)
    # h = 5, template 5 and h = 7, template 6, which OpenCV enlarges to 7.
    assert (hayao.denoise, hayao.denoise_patch, shinkai.denoise, shinkai.denoise_patch) == (5, 5, 7, 7)
    assert (hayao.min_size, shinkai.min_size, hayao.salt, shinkai.salt) == (50, 100, 0, 0.1)
    for c in (hayao, shinkai):
        assert (c.content, c.main_pixels, c.main_content, c.main_adversarial, c.main_d) == (0.5, 50, 0.5, 0.02, 0.1)
        # 6,656 photos in batches of 8 are 832 steps: 100 epochs, 5 of them from content alone.
        assert (c.batch, c.steps, c.warmup) == (8, 100 * 832, 5 * 832)
        assert (c.lr, c.warmup_lr) == (1e-4, 2e-4)


def test_the_terms_are_those_of_the_code(data):
    """Every term again, from the two tails' pictures and the judges' scores."""
    system = shinkai(data, denoise=9.0, denoise_patch=5, smooth=2.0)
    batch = system.batch(0, 0, 1)
    photo, shown = batch["photo"], {"discriminator": [], "discriminator_main": []}
    with torch.no_grad():
        rough, main = system.generator(photo, both=True)
    for name, seen in shown.items():
        # Instead of scores, the mean of what is shown.
        getattr(system, name).forward = lambda x, seen=seen: seen.append(x.detach()) or x.mean((1, 2, 3))
    turns = dict(system.step(batch, 3))
    # ε = 0.01 on [0, 1]; variances on [-1, 1] are four times larger.
    support = 2 * guided_filter((rough + 1) / 2, (rough + 1) / 2, radius=2, eps=0.01) - 1
    gray, anime, edges = (grayscale(x, channels=3) for x in (support, batch["style"], batch["edges"]))
    pictures = ((rough + 1) / 2).permute(0, 2, 3, 1).numpy()
    target = np.stack([l0_smooth(non_local_means(p, luma=9, patch=5)) for p in pictures])
    target = torch.from_numpy(2 * target - 1).permute(0, 3, 1, 2).clamp(-1, 1)

    assert len(shown["discriminator"]) == len(shown["discriminator_main"]) == 2
    for found, wanted in (
        (shown["discriminator"][0], gray),
        (shown["discriminator"][1], torch.cat([anime, gray, edges])),
        (shown["discriminator_main"][0], main),
        (shown["discriminator_main"][1], torch.cat([target, main])),
    ):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)

    def score(image):
        return image.mean((1, 2, 3))

    labels = torch.from_numpy(np.stack([regions(p, min_size=100) for p in to_uint8(support)]))
    layers = ("conv2_2", "conv3_3", "conv4_4")
    phi = {name: system.features(x) for name, x in {
        "photo": photo, "support": support, "main": main, "target": target, "gray": gray, "anime": anime,
        "own": superpixel_colors(support, labels), "flat": superpixel_colors(photo, batch["segments"]),
    }.items()}  # fmt: skip

    def distance(x, y):
        return content({"conv4_4": phi[x]["conv4_4"]}, {"conv4_4": phi[y]["conv4_4"]}) / 512

    expected = {
        "G": {
            "adversarial": ((score(gray) - 0.9) ** 2).mean(),
            "content": 0.5 * distance("support", "photo"),
            # Each layer's share is divided by its number of channels.
            "style": sum(
                weight / channels * gray_style({k: phi["gray"][k]}, {k: phi["anime"][k]}, centered=True)
                for k, weight, channels in zip(layers, (0.1, 2, 28), (128, 256, 512), strict=True)
            ),
            "region": 0.8 * distance("support", "own") + 0.5 * distance("support", "flat"),
            "color": 8 * lab_color(support, photo),
            "smooth": 2 * total_variation(support) / 2,
            "main_pixels": 50 * l1(main, target),
            "main_content": 0.5 * distance("main", "target"),
            "main_adversarial": 0.02 * ((score(main) - 1) ** 2).mean(),
            "main_smooth": 2 * total_variation(main) / 2,
        },
        "D": {
            "anime": 0.5 * ((score(anime) - 0.9) ** 2).mean(),
            "fake": ((score(gray) - 0.1) ** 2).mean(),
            "edges": 5 * ((score(edges) - 0.1) ** 2).mean(),
            "main": 0.1 * ((score(target) - 1) ** 2 + score(main) ** 2).mean(),
        },
    }
    assert {player: set(terms) for player, terms in turns.items()} == {p: set(terms) for p, terms in expected.items()}
    for player, terms in expected.items():
        for name, value in terms.items():
            torch.testing.assert_close(turns[player][name], value, rtol=1e-3, atol=1e-6, msg=f"{player}/{name}")


def test_the_target_does_not_learn_from_the_main_tail(data):
    """What main is compared with is constant: the distances move main and the base it shares, never support."""
    system = shinkai(data)
    _, terms = next(system.step(system.batch(0, 0, 1), 3))
    (terms["main_pixels"] + terms["main_content"] + terms["main_adversarial"] + terms["main_smooth"]).backward()
    assert all(p.grad is None for p in system.generator.support.parameters())
    assert all(p.grad is not None for p in system.generator.main.parameters())
    assert all(p.grad is not None for p in system.generator.base.parameters())


def test_the_attention_has_batch_statistics(tmp_path):
    """Parts of a batch are painted as in the whole, until the attention has learned to tell positions apart."""
    torch.manual_seed(0)
    generator = TINY.bare(tmp_path).generator
    photo = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1

    @torch.no_grad()
    def difference():
        whole = generator(photo, both=True)
        parts = [generator(half, both=True) for half in photo.chunk(2)]
        return max((a - torch.cat(b)).abs().max() for a, b in zip(whole, zip(*parts, strict=True), strict=True))

    assert difference() < 1e-3
    with torch.no_grad():
        for tail in (generator.support, generator.main):
            tail.attention.memory.mul_(100)
    assert difference() > 1e-2
    generator.eval()
    assert difference() < 1e-5


def test_salt(data):
    plain, salted = (TINY.build(data, salt=share, batch=64).batch(0, 0, 1) for share in (0.0, 0.1))
    torch.testing.assert_close(plain["style"], salted["style"])
    white = (salted["edges"] != plain["edges"]).any(1)
    assert (salted["edges"].permute(0, 2, 3, 1)[white] == 1).all()
    # 64 · 32² = 65,536 pixels: 0.1 with a standard deviation of √(0.1 · 0.9 / 65,536) = 0.0012.
    assert 0.09 < white.float().mean() < 0.105


def test_superpixels_of_the_photo_are_cut_with_it(data):
    """The crop is looked for in the photos and their mirror images; the kept labels of the same place are its own."""
    system = TINY.build(data)
    batch = system.batch(0, 0, 1)
    files = [np.load(file) for file in system.dataset["segments"].files]
    photos = system.dataset["photo"]
    for photo, file in zip(photos, files, strict=True):
        np.testing.assert_array_equal(file, regions(np.asarray(photo)))
    whole = [(to_tensor(np.asarray(photo))[0], labels) for photo, labels in zip(photos, files, strict=True)]
    sides = whole + [(image.flip(2), labels[:, ::-1]) for image, labels in whole]
    for crop, labels in zip(batch["photo"], batch["segments"], strict=True):
        cuts = [
            there[top : top + 32, left : left + 32]
            for image, there in sides
            for top in range(image.shape[1] - 31)
            for left in range(image.shape[2] - 31)
            if torch.equal(image[:, top : top + 32, left : left + 32], crop)
        ]
        assert len(cuts) == 1
        np.testing.assert_array_equal(labels, np.unique(cuts[0], return_inverse=True)[1].reshape(32, 32))


def test_users_run_the_published_size():
    system = AnimeGANv3(AnimeGANv3.Config())
    artefact = system.artefact()
    generator = artefact.module.eval()
    at_work = sum(p.numel() for part in (generator.base, generator.main) for p in part.parameters())
    assert at_work == 1_027_520
    model = trace(artefact)
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    # The exporter folds the batch norm, a scale and a shift for 128 channels, into one bias for each, and stores the
    # attention's matrix, 128×128, a second time, transposed.
    assert sum(array.size for array in arrays if array.ndim) == 1_027_520 - 128 + 128 * 128


def test_crops_that_do_not_fit_are_refused(data):
    with pytest.raises(UsageError, match="--crop 36 must be a multiple of 8 for animegan3"):
        TINY.build(data, crop=36)
