"""PGGAN's networks: sizes as published, layers that fade in, weights that learn at one speed."""

import pytest
import torch
from torch.testing import assert_close

from sakuga.networks.equalised import EqualisedConv2d, EqualisedLinear, minibatch_deviation, pixel_norm
from sakuga.networks.growing import GrowingDiscriminator, GrowingGenerator, enlarge, shrink


def count(network):
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("side", "width", "bodies", "rgb"),
    [
        (1024, 16, (23_071_456, 23_077_073), (7_659, 10_176)),
        (256, 64, (23_036_800, 23_042_369), None),
        (128, 128, (22_926_080, 22_931_585), None),
    ],
)
def test_the_published_networks_have_their_parameters(side, width, bodies, rgb):
    with torch.device("meta"):
        generator, discriminator = (kind(side=side, width=width) for kind in (GrowingGenerator, GrowingDiscriminator))
    colors = count(generator.to_rgb), count(discriminator.from_rgb)
    assert (count(generator) - colors[0], count(discriminator) - colors[1]) == bodies
    assert rgb is None or colors == rgb


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(0)
    sizes = {"side": 32, "width": 4, "widest": 8}
    return GrowingGenerator(5, **sizes).double(), GrowingDiscriminator(**sizes).double()


def test_every_growth_has_its_size_and_a_score(pair):
    generator, discriminator = pair
    noise = torch.randn(3, 5, dtype=torch.float64)
    for growth, side in ((0, 4), (0.5, 8), (1, 8), (2.25, 32), (3, 32)):
        image = generator(noise, growth)
        assert image.shape == (3, 3, side, side)
        assert discriminator(image, growth).shape == (3, 1)


def test_a_layer_that_begins_to_fade_in_changes_nothing_and_one_that_has_is_all(pair):
    generator, discriminator = pair
    noise = torch.randn(2, 5, dtype=torch.float64)
    small, large = generator(noise, 1), generator(noise, 2)
    assert_close(generator(noise, 1 + 1e-12), enlarge(small), rtol=0, atol=1e-9)
    assert_close(generator(noise, 2 - 1e-12), large, rtol=0, atol=1e-9)
    assert_close(generator(noise, 1.25), 0.75 * enlarge(small) + 0.25 * large)
    assert_close(discriminator(enlarge(small), 1 + 1e-12), discriminator(small, 1), rtol=0, atol=1e-9)
    assert_close(discriminator(large, 2 - 1e-12), discriminator(large, 2), rtol=0, atol=1e-9)


def test_real_pictures_shrink_and_fade_alike():
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    half = image.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    assert_close(shrink(image, 2), image)
    assert_close(shrink(image, 1), half)
    assert_close(shrink(image, 1.75), 0.25 * half.repeat_interleave(2, 2).repeat_interleave(2, 3) + 0.75 * image)


def test_weights_begin_alike_and_are_scaled_when_used():
    torch.manual_seed(0)
    linear, slow = EqualisedLinear(300, 200), EqualisedLinear(300, 200, rate=0.01, start=1)
    convolution = EqualisedConv2d(20, 30, 3, gain=1)
    assert linear.weight.std().item() == pytest.approx(1, rel=0.02)
    assert slow.weight.std().item() == pytest.approx(100, rel=0.02)
    assert convolution.weight.std().item() == pytest.approx(1, rel=0.03)
    x = torch.randn(4, 300)
    assert_close(linear(x), x @ linear.weight.T * (2 / 300) ** 0.5)
    assert_close(slow(x), x @ slow.weight.T * (2 / 300) ** 0.5 * 0.01 + 1)
    y = torch.randn(2, 20, 5, 5)
    assert_close(convolution(y), torch.conv2d(y, convolution.weight / 180**0.5, padding=1))


def test_pixel_norm_makes_the_second_moment_one():
    x = 7 * torch.randn(3, 6, 2, 2, dtype=torch.float64)
    assert_close(pixel_norm(x).square().mean(1), torch.ones(3, 2, 2, dtype=torch.float64))


def test_the_deviation_is_of_strided_groups():
    same = torch.ones(4, 2, 3, 3, dtype=torch.float64)
    assert_close(minibatch_deviation(same)[:, 2], torch.full((4, 3, 3), 1e-4, dtype=torch.float64))
    x = torch.randn(8, 2, 3, 3, dtype=torch.float64)
    found = minibatch_deviation(x)
    assert_close(found[:, :2], x)
    for first in (0, 1):
        expected = x[first::2].std(0, unbiased=False).mean()
        assert_close(found[first::2, 2], expected.expand(4, 3, 3))
    assert_close(minibatch_deviation(x[:3])[0, 2, 0, 0], x[:3].std(0, unbiased=False).mean())


@pytest.mark.parametrize("side", [4, 48])
def test_other_sides_are_refused(side):
    with pytest.raises(ValueError, match="side must be a power of two, 8 or more"):
        GrowingGenerator(side=side)
