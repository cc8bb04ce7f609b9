"""Every loss: its reductions, its gradient, its value by hand, and what it refuses."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from sakuga import losses
from sakuga.losses import (
    checkerboard,
    content,
    gradient_l1,
    gram,
    gram_style,
    hinge,
    l1,
    l2,
    lpips,
    lsgan,
    total_variation,
)


def images(n: int = 3, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 6, 4, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def features(x: Tensor) -> dict[str, Tensor]:
    return {"a": x, "b": x[..., ::2, ::2] ** 2}


HEADS = {"a": torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64), "b": torch.ones(3, dtype=torch.float64)}

# Each loss as a function of two batches of images, so that one test serves all.
CASES = {
    "l1": l1,
    "l2": l2,
    "gradient_l1": gradient_l1,
    "checkerboard": lambda x, y, **k: checkerboard(x, period=2, window=1, **k),
    "total_variation": lambda x, y, **k: total_variation(x, **k),
    "content l1": lambda x, y, **k: content(features(x), features(y), **k),
    "content l2": lambda x, y, **k: content(features(x), features(y), norm="l2", **k),
    "gram_style": lambda x, y, **k: gram_style(features(x), features(y), **k),
    "lpips": lambda x, y, **k: lpips(features(x), features(y), {n: h.to(x.dtype) for n, h in HEADS.items()}, **k),
    "lsgan.d": lambda x, y, **k: lsgan.d(x, y, **k),
    "lsgan.g": lambda x, y, **k: lsgan.g(x, **k),
    "hinge.d": lambda x, y, **k: hinge.d(x, y, **k),
    "hinge.g": lambda x, y, **k: hinge.g(x, **k),
}


def test_no_loss_is_left_out():
    tested = {name.split()[0].split(".")[0] for name in CASES} | {"gram", "Adversarial"}
    assert tested == set(losses.__all__)
    assert len(CASES) == 13


@pytest.mark.parametrize("name", CASES)
class TestEveryLoss:
    def test_reductions_agree(self, name):
        each = CASES[name](images(), images(seed=1), reduction="none")
        assert each.shape == (3,)
        assert_close(CASES[name](images(), images(seed=1)), each.mean())
        assert_close(CASES[name](images(), images(seed=1), reduction="sum"), each.sum())
        with pytest.raises(ValueError, match="reduction"):
            CASES[name](images(), images(seed=1), reduction="avg")

    def test_samples_do_not_mix(self, name):
        x, y = images(), images(seed=1)
        alone = torch.cat([CASES[name](x[i : i + 1], y[i : i + 1], reduction="none") for i in range(3)])
        assert_close(CASES[name](x, y, reduction="none"), alone)

    def test_gradient(self, name):
        x, y = images(1).requires_grad_(), images(1, seed=1)
        assert torch.autograd.gradcheck(lambda x: CASES[name](x, y), x)

    def test_keeps_dtype(self, name):
        assert CASES[name](images(dtype=torch.float32), images(dtype=torch.float32, seed=1)).dtype == torch.float32

    def test_gradient_is_finite_where_images_are_equal_or_flat(self, name):
        for x in (images(), torch.zeros_like(images())):
            x = x.clone().requires_grad_()
            CASES[name](x, x.detach().clone()).backward()
            assert torch.isfinite(x.grad).all()


# Features come from a network, which refuses integers itself.
@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith(("content", "gram_style", "lpips"))])
def test_integers_are_refused(name):
    with pytest.raises(TypeError, match="must be a floating tensor"):
        CASES[name](images().long(), images().long())


@pytest.mark.parametrize("name", ["l1", "l2", "gradient_l1", "content l1", "content l2", "gram_style", "lpips"])
def test_equal_images_score_zero(name):
    assert_close(CASES[name](images(), images()), torch.zeros((), dtype=torch.float64))


def test_shapes_that_differ_name_the_argument():
    with pytest.raises(ValueError, match="target has shape"):
        l1(images(), images()[..., :-1])
    with pytest.raises(ValueError, match=r"image must have shape \(N, C, H, W\)"):
        total_variation(images()[0])
    with pytest.raises(ValueError, match="lack the layer 'b'"):
        content({"a": images()}, {"b": images()})
    with pytest.raises(ValueError, match=r"target\['a'\] has shape"):
        content({"a": images()}, {"a": images()[:, :2]})
    with pytest.raises(ValueError, match=r"target\['a'\] has 2 channels"):
        gram_style({"a": images()}, {"a": images()[:, :2]})
    with pytest.raises(ValueError, match="names no layer"):
        content({"a": images()}, {})
    with pytest.raises(ValueError, match="features must have shape"):
        gram(images()[0])


def test_what_cannot_be_measured_is_refused():
    for loss in (lambda x: total_variation(x), lambda x: gradient_l1(x, x)):
        with pytest.raises(ValueError, match="at least 2 rows"):
            loss(images()[..., :1])
    with pytest.raises(ValueError, match="multiples of 4, not"):
        checkerboard(images())
    with pytest.raises(ValueError, match="norm must be"):
        content(features(images()), features(images()), norm="L1")
    with pytest.raises(ValueError, match="fake holds 2 samples, but real 3"):
        lsgan.d(images(), images(2))


def picture(*rows: list[float]) -> Tensor:
    return torch.tensor([[rows]])


def test_pixels_by_hand():
    x, y = picture([0.0, 1.0], [0.5, -1.0]), picture([0.0, 0.0], [0.0, 0.0])
    # |0| + |1| + |.5| + |-1| = 2.5 over 4; squares 0 + 1 + .25 + 1 = 2.25 over 4.
    assert l1(x, y).item() == 0.625
    assert l2(x, y).item() == 0.5625
    # Down: |.5 - 0| + |-1 - 1| = 2.5 over 2; right: |1 - 0| + |-1 - .5| = 2.5 over 2.
    assert gradient_l1(x, y).item() == 2.5
    # Down: .25 + 4 = 4.25 over 2; right: 1 + 2.25 = 3.25 over 2.
    assert total_variation(x).item() == 3.75


def test_checkerboard_by_hand():
    # Squares of two pixels: at the places of a square 1, 0, 0, 1 everywhere, mean 1/2: (4 · 1/4) / 4.
    board = picture([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0])
    assert checkerboard(board, period=2, window=1).item() == 0.25
    # The same pixels with the second square's colours exchanged average out in a window of two squares.
    stroke = torch.cat([board, board], dim=2).clone()
    stroke[:, :, 2:] = 1 - stroke[:, :, 2:]
    assert checkerboard(stroke, period=2, window=2).item() == 0
    assert checkerboard(torch.cat([board, board], dim=2), period=2, window=2).item() == 0.25


def test_gradient_l1_ignores_a_constant_and_sees_a_sign():
    x = images()
    assert_close(gradient_l1(x, x + 0.25), torch.zeros((), dtype=torch.float64))
    assert gradient_l1(x, -x) > 0.1


def test_content_by_hand():
    # Differences 1 and 3 in two places: mean |.| = 2, mean squared = (1 + 9) / 2 = 5; two equal layers double it.
    x, y = {"a": torch.tensor([[[[1.0, 3.0]]]])}, {"a": torch.zeros(1, 1, 1, 2)}
    assert content(x, y).item() == 2
    assert content(x, y, norm="l2").item() == 5
    assert content(x | {"b": x["a"]}, y | {"b": y["a"]}).item() == 4


def test_gram_of_one_hot_features():
    # Two channels, each on at one of two places: F Fᵀ = identity, divided by C·H·W = 4.
    f = torch.eye(2).view(1, 2, 1, 2)
    assert_close(gram(f), torch.eye(2)[None] / 4)
    # Against features that are zero: Frobenius norm squared = 2 · (1/4)² = 1/8, from features or from a kept matrix.
    zero = torch.zeros_like(f)
    assert gram_style({"a": f}, {"a": zero}).item() == 0.125
    assert gram_style({"a": f}, {"a": gram(zero)}).item() == 0.125


def test_gram_is_one_target_for_a_batch():
    style = {"a": images(1, seed=5)}
    each = gram_style({"a": images()}, style, reduction="none")
    assert each.shape == (3,)
    assert_close(each[1], gram_style({"a": images()[1:2]}, style))


def test_lpips_by_hand():
    # Unit vectors (1, 0) and (0, 1): squared differences 1 and 1, weighed 3 and 5, at the one place there is.
    x, y = torch.tensor([4.0, 0.0]).view(1, 2, 1, 1), torch.tensor([0.0, 0.5]).view(1, 2, 1, 1)
    assert_close(lpips({"a": x}, {"a": y}, {"a": torch.tensor([3.0, 5.0])}), torch.tensor(8.0))


def test_adversarial_by_hand():
    real, fake = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.5, -2.0]])
    # lsgan: real (1 + 1) / 2 = 1; fake (.25 + 4) / 2 = 2.125; g (.25 + 9) / 2 = 4.625.
    assert lsgan.d(real, fake).item() == 3.125
    assert lsgan.g(fake).item() == 4.625
    # hinge: real (0 + 1) / 2 = .5; fake (1.5 + 0) / 2 = .75; g -(.5 - 2) / 2 = .75.
    assert hinge.d(real, fake).item() == 1.25
    assert hinge.g(fake).item() == 0.75
    with pytest.raises(ValueError, match="fake must have shape"):
        lsgan.g(torch.tensor(1.0))
