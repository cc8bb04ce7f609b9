"""A generator that knows the whole picture."""

import pytest
import torch
from torch.testing import assert_close

from sakuga.networks.context import ContextGenerator
from sakuga.networks.fast import EvenConv2d, FastGenerator


@pytest.fixture
def generator():
    torch.manual_seed(0)
    made = ContextGenerator(width=8, blocks=2, inner=4).eval()
    torch.nn.init.normal_(made.encoder.last.weight, std=0.5)
    torch.nn.init.normal_(made.body.tail.weight, std=0.1)
    return made


def pictures(n=2, side=64, seed=1):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_at_the_start_the_thumbnail_says_nothing():
    made = ContextGenerator(width=8, blocks=2)
    x = pictures()
    assert_close(made(x), made.body(x))


def test_a_crop_with_the_thumbnail_of_the_whole_is_a_crop_of_the_whole(generator):
    whole = pictures(side=128)
    thumbnail = torch.nn.functional.interpolate(whole, (64, 64), mode="area")
    margin = generator.receptive_field // 2 + 8  # from the crop's own borders
    inside = slice(margin, 128 - margin)
    crop = generator(whole[..., 4:, 8:], thumbnail)
    assert_close(
        generator(whole)[..., inside, inside],
        torch.nn.functional.pad(crop, (8, 0, 4, 0))[..., inside, inside],
    )
    assert (generator(whole[..., 4:, 8:]) - crop).abs().max() > 1e-3  # which with its own thumbnail it is not


def test_scales_and_shifts_go_to_every_convolution_but_the_last(generator):
    body, context = generator.body, generator.encoder(pictures())
    assert body.modulated == [8, 4, 8, 4, 8]
    assert context.shape == (2, 2 * sum(body.modulated))
    assert context[:, : sum(body.modulated)].abs().max() < 0.9
    x = pictures()
    scales, shifts = (half[..., None, None].split(body.modulated, 1) for half in context.chunk(2, 1))
    y = body.head(torch.nn.functional.pixel_unshuffle(x, 4)) * (1 + scales[0]) + shifts[0]
    y = torch.relu(y)
    for i, (first, _relu, second) in enumerate(body.blocks):
        z = torch.relu(first(y) * (1 + scales[2 * i + 1]) + shifts[2 * i + 1])
        y = y + second(z) * (1 + scales[2 * i + 2]) + shifts[2 * i + 2]
    assert_close(body(x, context), x + torch.nn.functional.pixel_shuffle(body.tail(torch.relu(y)), 4))


def test_a_flat_field_shows_no_square_whatever_was_learned():
    torch.manual_seed(0)
    made = FastGenerator(width=8, blocks=1).eval()
    torch.nn.init.normal_(made.tail.weight)
    torch.nn.init.normal_(made.tail.bias)
    flat = torch.tensor([0.3, -0.5, 0.1]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    inside = made(flat)[..., 24:-24, 24:-24]
    assert_close(inside, inside[..., :1, :1].expand_as(inside))
    assert (inside[0, :, 0, 0] - flat[0, :, 0, 0]).abs().min() > 1e-3


def test_a_ramp_comes_out_of_the_tail_as_a_ramp_whatever_was_learned():
    """What is affine in the squares is affine in the pixels: no second difference, in any direction or colour."""
    torch.manual_seed(0)
    tail = EvenConv2d(5, 4)
    torch.nn.init.normal_(tail.bias)
    slopes = torch.randn(3, 5, 1, 1)
    y, x = torch.meshgrid(torch.arange(10.0), torch.arange(12.0), indexing="ij")
    ramp = torch.nn.functional.pixel_shuffle(tail((slopes[0] + slopes[1] * x + slopes[2] * y)[None]), 4)
    inside = ramp[..., 4:-4, 4:-4]
    assert inside.diff(dim=-1).abs().mean() > 1e-2
    for first, second in ((-1, -1), (-2, -2), (-1, -2)):
        assert inside.diff(dim=first).diff(dim=second).abs().max() < 1e-5
    kernels = tail.weight.view(3, 16, 5, 3, 3)
    assert kernels.sum((3, 4)).std(1).min() > 1e-3  # the weights themselves know nothing of it


def test_kernels_without_grid_stay_what_they_are():
    tail = EvenConv2d(5, 4)
    with torch.no_grad():
        tail.weight.copy_(tail.even[0])
        again = tail.even[0]
    assert_close(again, tail.weight)


def test_the_pixels_of_a_square_start_alike():
    tail = FastGenerator(width=8, blocks=1).tail
    first = tail.weight[::16].repeat_interleave(16, 0)
    assert 0 < (tail.weight - first).std() < 0.02 * first.std()
