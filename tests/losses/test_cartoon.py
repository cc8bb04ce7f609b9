"""Terms and representations of the cartoon systems, by hand and against other formulations."""

import math

import numpy as np
import pytest
import torch
from cases import Case, features, images
from skimage import color
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.adversarial import bce, lsgan
from sakuga.losses.cartoon import edge_promoting, gray_adversarial, gray_style, structure, superpixel_colors, surface
from sakuga.losses.features import content, gram
from sakuga.losses.guided import guided_filter

SCORE = (1, 3, 2)
EDGES = dict.fromkeys(("cartoon", "fake", "edges"), SCORE)
GRAY = dict.fromkeys(("anime", "fake", "gray", "smooth"), SCORE)
FLAT = torch.full((1, 3, 6, 4), 0.3, dtype=torch.float64)

CASES = [
    Case("gray_style", lambda features_, target, **k: gray_style(features(features_), features(target), **k),
         {"features": (3, 6, 4), "target": (3, 6, 4)}, zero=True),
    # Its second argument is held constant, so its gradient is checked against one that is.
    Case("structure", lambda x, y, **k: structure(features(x), features(y), **k),
         {"features": (3, 6, 4), "target": (3, 6, 4)}, zero=True, kinks=True),
    Case("structure of one image", lambda x, **k: structure(features(x), features(torch.full_like(x, 0.3)), **k),
         {"features": (3, 6, 4)}),
    Case("edge_promoting.d", edge_promoting.d, EDGES, any_shape=True),
    Case("edge_promoting.d lsgan", lambda *s, **k: edge_promoting.d(*s, objective=lsgan, **k), EDGES, any_shape=True),
    Case("edge_promoting.g", edge_promoting.g, {"fake": SCORE}, any_shape=True),
    Case("gray_adversarial.d", gray_adversarial.d, GRAY, any_shape=True),
    Case("gray_adversarial.d bce", lambda *s, **k: gray_adversarial.d(*s, objective=bce, **k), GRAY, any_shape=True),
    Case("gray_adversarial.g", gray_adversarial.g, {"fake": SCORE}, any_shape=True),
]  # fmt: skip


def test_gray_style_by_hand():
    # Two channels, each on at one of two places: Gram = identity / 4; against zeros two of four entries differ by 1/4.
    x, zero = {"a": torch.eye(2).view(1, 2, 1, 2)}, {"a": torch.zeros(1, 2, 1, 2)}
    assert gray_style(x, zero).item() == 0.125
    assert gray_style(x, {"a": gram(zero["a"])}).item() == 0.125
    assert gray_style(x | {"b": x["a"]}, zero | {"b": zero["a"]}).item() == 0.25
    assert gray_style(x | {"b": x["a"]}, zero | {"b": zero["a"]}, weights={"a": 1.0, "b": 0.1}).item() == pytest.approx(
        0.1375
    )
    # One channel of 3 and 1: (9 + 1) / 2 = 5; without its mean ±1: (1 + 1) / 2 = 1.
    y, none = {"a": torch.tensor([[[[3.0, 1.0]]]])}, {"a": torch.zeros(1, 1, 1, 2)}
    assert gray_style(y, none).item() == 5
    assert gray_style(y, none, centered=True).item() == 1
    assert gray_style(none, y, centered=True).item() == 1
    # One style for the whole batch, of another size.
    style = {"a": images(1)[..., :3]}
    each = gray_style({"a": images()}, style, reduction="none")
    assert_close(each[1], gray_style({"a": images()[1:2]}, style))


def test_structure_is_content_with_a_constant():
    output = images().requires_grad_()
    segmented = superpixel_colors(output, torch.zeros(3, 6, 4, dtype=torch.long))
    loss = structure(features(output), features(segmented))
    assert_close(loss, content(features(output), features(segmented)))
    through = features(images(seed=1).requires_grad_())
    (slope,) = torch.autograd.grad(loss, output)
    assert slope.abs().max() > 0
    assert not structure({"a": images()}, {"a": through["a"]}).requires_grad


def test_superpixels_by_hand():
    # Labels 0 and 7 of sample 1: (1 + 2 + 6) / 3 = 3 and 5; label 0 of sample 2 is a segment of its own: 0, 0, then
    # (8 + 4) / 2 = 6. The second channel is the first times ten.
    first = torch.tensor([[[1.0, 2.0, 6.0, 5.0]], [[0.0, 0.0, 8.0, 4.0]]])[:, None]
    image = torch.cat([first, 10 * first], 1)
    labels = torch.tensor([[[0, 0, 0, 4]], [[0, 0, 2, 2]]], dtype=torch.int32)
    wanted = torch.tensor([[[3.0, 3.0, 3.0, 5.0]], [[0.0, 0.0, 6.0, 6.0]]])[:, None]
    colors = superpixel_colors(image, labels)
    assert_close(colors, torch.cat([wanted, 10 * wanted], 1))
    assert_close(superpixel_colors(colors, labels), colors)


def test_superpixels_as_scikit_image_colors_them():
    image = images(2)
    labels = torch.randint(1, 6, (2, 6, 4), generator=torch.Generator().manual_seed(0))
    ours = superpixel_colors(image, labels).movedim(1, -1).numpy()
    for i in range(2):
        theirs = color.label2rgb(labels[i].numpy(), image[i].movedim(0, -1).numpy(), kind="avg", bg_label=-1)
        np.testing.assert_allclose(ours[i], theirs, atol=1e-12)


def test_superpixels_of_many_pixels_in_few_bits():
    # In bfloat16 the sum of 59² pixels would be 2608 or 512 or so, not 2610.75, their number 3488 or 256, not 3481.
    image = torch.full((1, 3, 59, 59), 0.75, dtype=torch.bfloat16)
    assert torch.equal(superpixel_colors(image, torch.full((1, 59, 59), 255, dtype=torch.uint8)), image)


def test_superpixels_are_constants_and_refuse_wrong_labels():
    image, labels = images().requires_grad_(), torch.zeros(3, 6, 4, dtype=torch.long)
    assert not superpixel_colors(image, labels).requires_grad
    assert superpixel_colors(image.to("meta"), labels.to("meta")).shape == image.shape
    with pytest.raises(TypeError, match="segments must be an integer"):
        superpixel_colors(image, labels.float())
    with pytest.raises(ValueError, match="segments must have shape"):
        superpixel_colors(image, labels[:, :2])
    assert torch.isfinite(superpixel_colors(image, labels + 24)).all()
    for label in (-1, 25):
        with pytest.raises(ValueError, match="segments must hold labels from 0 to H·W = 24"):
            superpixel_colors(image, labels + label)


def windows(image: np.ndarray, radius: int) -> np.ndarray:
    """Mean of the window of every pixel, one at a time."""
    height, width = image.shape
    out = np.empty_like(image)
    for i in range(height):
        for j in range(width):
            rows = slice(max(i - radius, 0), i + radius + 1)
            out[i, j] = image[rows, max(j - radius, 0) : j + radius + 1].mean()
    return out


def regression(x: np.ndarray, y: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """The guided filter as He, Sun, Tang derive it: a ridge regression of y on x in every window, then the average."""
    height, width = x.shape
    total, count = np.zeros_like(x), np.zeros_like(x)
    for i in range(height):
        for j in range(width):
            window = (slice(max(i - radius, 0), i + radius + 1), slice(max(j - radius, 0), j + radius + 1))
            n = x[window].size
            design = np.stack([x[window].ravel(), np.ones(n)], 1)
            a, b = np.linalg.solve(design.T @ design + np.diag([n * eps, 0]), design.T @ y[window].ravel())
            total[window] += a * x[window] + b
            count[window] += 1
    return total / count


@pytest.mark.parametrize(("radius", "eps"), [(1, 1e-2), (2, 0.2), (5, 0.2)])
def test_guided_filter_is_its_definition(radius: int, eps: float):
    # At the border a pixel lies in as many windows as its own has pixels, so both averages are the same.
    guide, image = images(2), images(2, seed=1)
    ours = guided_filter(guide, image, radius=radius, eps=eps).numpy()
    for n in range(2):
        for c in range(3):
            theirs = regression(guide[n, c].numpy(), image[n, c].numpy(), radius, eps)
            np.testing.assert_allclose(ours[n, c], theirs, atol=1e-10)


def test_guided_filter_at_its_limits():
    constant = FLAT.expand(2, -1, -1, -1)
    for guide in (images(2), constant):
        assert_close(guided_filter(guide, constant, radius=2, eps=1e-2), constant)
    assert_close(surface(constant), constant)
    # A constant guide has no edges: the mean of means. As ε vanishes the guide's own edges all stay.
    image = images(1)
    means = windows(windows(image[0, 0].numpy(), 1), 1)
    np.testing.assert_allclose(guided_filter(FLAT, image, radius=1, eps=1e-2)[0, 0].numpy(), means, atol=1e-12)
    assert_close(guided_filter(image, image, radius=1, eps=1e-12), image, atol=1e-6, rtol=0)


def test_surface_flattens_texture_and_keeps_edges():
    # A step from -1 to 1 with a texture of ±.1. Windows without the step have a variance of .01 against ε = .2 and
    # leave .01 / .21 = 4.8 % of the texture; those with it, within twice the radius, have 1 and keep most of it.
    step = torch.ones(1, 3, 24, 48, dtype=torch.float64)
    step[..., :16] = -1
    texture = 0.1 * (1 - 2 * (torch.arange(48) % 2)).double()
    smooth = surface(step + texture)
    assert smooth[..., 26:38].std() < 0.007
    assert (smooth[..., 16] - smooth[..., 15]).mean() > 1.4
    assert_close(smooth, guided_filter(step + texture, step + texture, radius=5, eps=0.2))


def test_guided_filter_has_a_gradient_in_both():
    guide, image = images(1).requires_grad_(), images(1, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda g, i: guided_filter(g, i, radius=1, eps=0.1), (guide, image))
    flat = FLAT.clone().requires_grad_()
    surface(flat).sum().backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


def test_guided_filter_in_half_precision():
    # A variance of (1/64)² beside a mean of 1 is nothing in bfloat16, which knows steps of 1/128 there.
    ripple = 1 + (torch.arange(16) % 2).double().expand(1, 1, 16, 16) / 64
    exact = surface(ripple, radius=1, eps=1e-4)
    assert_close(surface(ripple.bfloat16(), radius=1, eps=1e-4).double(), exact, atol=1 / 256, rtol=0)


def test_guided_filter_refuses_by_name():
    for keyword in ("guide", "image"):
        both: dict[str, Tensor] = {"guide": images(), "image": images()}
        with pytest.raises(TypeError, match=f"{keyword} must be a floating"):
            guided_filter(**both | {keyword: images().long()}, radius=1, eps=0.1)
    with pytest.raises(ValueError, match="image has shape"):
        guided_filter(images(), images()[:, :1], radius=1, eps=0.1)
    with pytest.raises(ValueError, match="radius must be at least 1, not 0"):
        guided_filter(images(), images(), radius=0, eps=0.1)
    with pytest.raises(ValueError, match=r"eps must be positive, not 0\.0"):
        surface(images(), eps=0.0)
    for like in (images(), images().float(), images().to("meta")):
        out = surface(like)
        assert (out.dtype, out.device, out.shape) == (like.dtype, like.device, like.shape)


def test_edge_promoting_by_hand():
    cartoon, fake, edges = torch.tensor([[2.0]]), torch.tensor([[0.5, -1.0]]), torch.tensor([[3.0]])
    # lsgan: (2 - 1)² = 1; (.25 + 1) / 2 = .625; 3² = 9. g: (.25 + 4) / 2 = 2.125.
    assert edge_promoting.d(cartoon, fake, edges, objective=lsgan).item() == 10.625
    assert edge_promoting.g(fake, objective=lsgan).item() == 2.125
    # bce by default: -log σ(2) - (log σ(-.5) + log σ(1)) / 2 - log σ(-3); g: -(log σ(.5) + log σ(-1)) / 2.
    soft = lambda s: math.log(1 + math.exp(s))  # noqa: E731
    d = soft(-2) + (soft(0.5) + soft(-1)) / 2 + soft(3)
    assert edge_promoting.d(cartoon, fake, edges).item() == pytest.approx(d)
    assert edge_promoting.g(fake).item() == pytest.approx((soft(-0.5) + soft(1)) / 2)


def test_gray_adversarial_by_hand():
    anime, fake, gray, smooth = (torch.tensor([[s]]) for s in (0.5, 1.0, 2.0, 3.0))
    # .25 + 1 + 4 + .1 · 9 = 6.15; Hayao of version 2: 1.2 · (.25 + 1 + 4) + .8 · 9 = 13.5.
    assert gray_adversarial.d(anime, fake, gray, smooth).item() == pytest.approx(6.15)
    hayao = (1.2, 1.2, 1.2, 0.8)
    assert gray_adversarial.d(anime, fake, gray, smooth, weights=hayao).item() == pytest.approx(13.5)
    assert gray_adversarial.g(anime).item() == 0.25
    # With bce a fake costs softplus(s): log 2 at zero, four times with weights of 1.
    zero = torch.zeros(1, 1)
    even = gray_adversarial.d(zero, zero, zero, zero, weights=(1, 1, 1, 1), objective=bce)
    assert even.item() == pytest.approx(4 * math.log(2))


def test_scores_may_be_lists():
    coarse, fine = images()[:, :1, :2], images(seed=1)[:, :1]
    both = edge_promoting.d([coarse, fine], [coarse, fine], [fine, coarse])
    # Heads are averaged: of the cartoon and the fakes over the same two, of the edges over the same two exchanged.
    assert_close(both, (edge_promoting.d(coarse, coarse, coarse) + edge_promoting.d(fine, fine, fine)) / 2)
    with pytest.raises(ValueError, match="heads"):
        gray_adversarial.d([coarse, fine], [coarse], [coarse], [coarse])
