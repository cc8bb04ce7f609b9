"""Colour spaces against their definitions and scikit-image, and losses in them by hand."""

import numpy as np
import pytest
import torch
from cases import Case, images
from skimage import color
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.colour import (
    color_reconstruction,
    grayscale,
    lab_color,
    random_color_shift,
    rgb_to_lab,
    rgb_to_yuv,
)

CASES = [
    Case("color_reconstruction", color_reconstruction, zero=True),
    Case("lab_color", lab_color, zero=True),
]

LUMA = torch.tensor([0.299, 0.587, 0.114])


def pixel(*rgb: float) -> Tensor:
    """One pixel of RGB in [0, 1] as an image in [-1, 1]."""
    return torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1) * 2 - 1


def channels_last(image: Tensor) -> np.ndarray:
    return image.movedim(1, -1).numpy()


def test_rows_of_yuv():
    # A pure colour takes out its column; black is zero, white has Y = 1 and no colour but for the rounding of the rows.
    assert_close(rgb_to_yuv(pixel(1, 0, 0)).flatten().tolist(), [0.299, -0.14714119, 0.61497538])
    assert_close(rgb_to_yuv(pixel(0, 1, 0)).flatten().tolist(), [0.587, -0.28886916, -0.51496512])
    assert_close(rgb_to_yuv(pixel(0, 0, 1)).flatten().tolist(), [0.114, 0.43601035, -0.10001026])
    assert rgb_to_yuv(pixel(0, 0, 0)).abs().max() == 0
    assert_close(rgb_to_yuv(pixel(1, 1, 1)).flatten().tolist(), [1.0, 0.0, 0.0], atol=1e-7, rtol=0)


def test_color_spaces_agree_with_scikit_image():
    picture = images(2)
    picture[0, :, 0] = torch.linspace(-1, -0.9, 4)  # greys about the bends of both curves
    rgb = channels_last((picture + 1) / 2)
    # The same rows.
    np.testing.assert_allclose(channels_last(rgb_to_yuv(picture)), color.rgb2yuv(rgb), atol=1e-12)
    # scikit-image rounds D65 to (0.95047, 1, 1.08883), so that its white is not quite neutral: a up to 0.003, b 0.005.
    np.testing.assert_allclose(channels_last(rgb_to_lab(picture)), color.rgb2lab(rgb), atol=0.01)


def test_lab_by_hand():
    white, gray, dark = (rgb_to_lab(pixel(v, v, v)).flatten().tolist() for v in (1.0, 0.5, 0.0129))
    assert white == pytest.approx([100, 0, 0], abs=1e-9)
    # ((.5 + .055) / 1.055)^2.4 = .21404; 116 ∛.21404 - 16 = 53.389.
    assert gray == pytest.approx([53.389, 0, 0], abs=1e-3)
    # .0129 / 12.92 = .00099845, below δ³ = .00886: L = 116 (29/6)² / 3 · .00099845 = 903.30 · .00099845 = .9019.
    assert dark == pytest.approx([0.9019, 0, 0], abs=1e-4)


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0, -1.2, 1.2])
def test_lab_has_a_finite_gradient(value: float):
    image = torch.full((1, 3, 2, 2), value, requires_grad=True)
    rgb_to_lab(image).sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().sum() > 0


def test_grayscale_by_hand():
    # .299 · 1 + .587 · 0 + .114 · -1 = .185.
    image = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)
    assert_close(grayscale(image).flatten(), torch.tensor([0.185]))
    assert_close(grayscale(image, channels=3).flatten(), torch.full((3,), 0.185))
    assert_close(grayscale(torch.ones(1, 3, 2, 2)), torch.ones(1, 1, 2, 2))
    # The same grey as Y, on the other scale.
    assert_close((grayscale(images()) + 1) / 2, rgb_to_yuv(images())[:, :1])


def test_color_reconstruction_by_hand():
    # Red against black: |.299| + .14714119² / 2 + .61497538² / 2 = .299 + .0108253 + .1890974 = .4989227.
    assert color_reconstruction(pixel(1, 0, 0), pixel(0, 0, 0)).item() == pytest.approx(0.4989227, abs=1e-7)
    # Red against cyan: ΔY = .299 - .701 = -.402, ΔU = -2 · .14714119 = -.2942824; ΔV = 2 · .61497538 = 1.2299508 is
    # beyond δ = 1: .402 + .0433011 + (1.2299508 - .5) = 1.1752519.
    assert color_reconstruction(pixel(1, 0, 0), pixel(0, 1, 1)).item() == pytest.approx(1.1752519, abs=1e-6)


def test_lab_color_by_hand():
    # White against black differs by 100 in L alone: 2 · 100 / 100.
    assert lab_color(pixel(1, 1, 1), pixel(0, 0, 0)).item() == pytest.approx(2, abs=1e-9)
    # Red is L 53.24, a 80.09, b 67.20 (CIE): 2 · .5324 + 80.09 / 255 + 67.20 / 255 = 1.0648 + .3141 + .2635 = 1.6424.
    assert lab_color(pixel(1, 0, 0), pixel(0, 0, 0)).item() == pytest.approx(1.6424, abs=5e-4)


def weights_of(shifted: Tensor) -> Tensor:
    """The grey of a picture of three pixels, pure red, green and blue on zero, are the weights themselves."""
    return shifted.flatten()


@pytest.mark.parametrize("form", ["code", "paper"])
def test_random_color_shift_is_one_grey_for_all(form: str):
    pure = torch.eye(3).view(1, 3, 1, 3)
    seeded = torch.Generator().manual_seed(3)
    first, second, other = random_color_shift(pure, pure.repeat(2, 1, 1, 1), images(), form=form, generator=seeded)
    assert first.shape == (1, 1, 1, 3)
    assert second.shape == (2, 1, 1, 3)
    w = weights_of(first)
    assert_close(second[1], first[0])
    assert_close(other, (images() * w.double().view(3, 1, 1)).sum(1, keepdim=True))
    # Chance is the generator's alone: the same again from the same seed, another grey from it thereafter.
    again = torch.Generator().manual_seed(3)
    assert torch.equal(weights_of(random_color_shift(pure, form=form, generator=again)[0]), w)
    assert not torch.equal(weights_of(random_color_shift(pure, form=form, generator=again)[0]), w)


def test_random_color_shift_has_the_published_weights():
    pure, chance = torch.eye(3).view(1, 3, 1, 3), torch.Generator().manual_seed(0)
    code = torch.stack([weights_of(random_color_shift(pure, generator=chance)[0]) for _ in range(300)])
    assert_close(code.sum(1), torch.ones(300))
    # Y ± .1, over a sum of .7 to 1.3: red .199 / (.199 + .687 + .214) = .181 to .399 / (.399 + .487 + .014) = .443.
    assert code[:, 0].min() >= 0.199 / 1.1
    assert code[:, 0].max() <= 0.399 / 0.9
    assert_close(code.mean(0), LUMA, atol=0.015, rtol=0)
    first = LUMA + 0.1 * (torch.rand(3, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    assert_close(code[0], first / first.sum())
    paper = torch.stack([weights_of(random_color_shift(pure, form="paper", generator=chance)[0]) for _ in range(300)])
    # .8 Y ± .2, each colour by itself and the whole range used.
    beta = (paper - 0.8 * LUMA) / 0.2
    assert beta.abs().max() <= 1 + 1e-5
    assert (beta.amin(0) < -0.95).all()
    assert (beta.amax(0) > 0.95).all()
    assert torch.corrcoef(beta.T).triu(1).abs().max() < 0.2


def test_code_form_stays_in_range_and_lets_gradients_through():
    image = torch.ones(2, 3, 4, 4, requires_grad=True)
    (gray,) = random_color_shift(image)
    assert_close(gray, torch.ones(2, 1, 4, 4))
    gray.sum().backward()
    assert image.grad is not None
    assert_close(image.grad.sum(1), torch.ones(2, 4, 4))


@pytest.mark.parametrize("operation", [rgb_to_yuv, rgb_to_lab, grayscale, random_color_shift])
def test_operations_refuse_by_name_and_keep_dtype_and_device(operation):
    name = r"images\[0\]" if operation is random_color_shift else "image"
    with pytest.raises(ValueError, match=f"{name} must have 3 channels, not 2"):
        operation(images()[:, :2])
    with pytest.raises(ValueError, match=f"{name} must have shape"):
        operation(images()[0])
    with pytest.raises(TypeError, match=f"{name} must be a floating"):
        operation(images().long())
    for like in (images(), images().float(), images().to("meta")):
        (out,) = operation(like) if operation is random_color_shift else (operation(like),)
        assert (out.dtype, out.device) == (like.dtype, like.device)


def test_other_arguments_are_refused():
    for loss in (color_reconstruction, lab_color):
        with pytest.raises(ValueError, match="image must have 3 channels"):
            loss(images()[:, :1], images()[:, :1])
    with pytest.raises(ValueError, match="form must be"):
        random_color_shift(images(), form="luma")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"images\[1\] must have 3 channels"):
        random_color_shift(images(), images()[:, :1])
    with pytest.raises(ValueError, match="images must hold"):
        random_color_shift()


@pytest.mark.parametrize("convert", [rgb_to_yuv, rgb_to_lab])
def test_half_precision_is_left_behind(convert):
    """Differences of colours that are near would be lost in eight bits."""
    image = images().bfloat16()
    assert_close(convert(image), convert(image.float()))
