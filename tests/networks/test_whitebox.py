"""White-box Cartoonization's networks: published sizes, borders, how far a pixel looks, and the way to ONNX."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from sakuga.export.trace import check_parity, trace
from sakuga.losses.guided import guided_filter
from sakuga.networks.whitebox import Filtered, WhiteBoxDiscriminator, WhiteBoxGenerator
from sakuga.systems.artefact import Artefact


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def picture(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (WhiteBoxGenerator, 1_467_075),
        (lambda: Filtered(WhiteBoxGenerator()), 1_467_075),
        (WhiteBoxDiscriminator, 287_137),
        (lambda: WhiteBoxDiscriminator(1), 286_561),
    ],
)
def test_parameter_counts(network, parameters):
    assert count(network()) == parameters


def test_generator_keeps_the_size_of_multiples_of_four():
    network = WhiteBoxGenerator(width=2, blocks=1)
    for size in ((8, 12), (36, 20), (4, 4)):
        assert network(picture(2, 3, *size)).shape == (2, 3, *size)
    for size in ((34, 32), (32, 33)):
        with pytest.raises(RuntimeError, match="must match"):
            network(picture(1, 3, *size))


def test_score_maps_are_rounded_down():
    assert WhiteBoxDiscriminator(width=2)(picture(2, 3, 64, 24)).shape == (2, 1, 8, 3)
    assert WhiteBoxDiscriminator(1, width=2)(picture(2, 1, 63, 41)).shape == (2, 1, 7, 5)


def test_stride_two_pads_zeros_right_and_bottom():
    """With the last tap of the kernel alone, 1 2 3 4 | 0 is read at 3 and 0; with the first at 1 and 3."""
    halve = WhiteBoxDiscriminator(1, width=1).body[:2]
    nn.utils.parametrize.remove_parametrizations(halve[1], "weight")
    row = torch.arange(1.0, 5).expand(1, 1, 4, 4)
    for tap, wanted in ((0, [1.0, 3.0]), (2, [3.0, 0.0])):
        weight = torch.zeros(1, 1, 3, 3)
        weight[..., tap, tap] = 1
        halve[1].weight.data.copy_(weight)
        assert halve(row)[0, 0, 0].tolist() == wanted
        assert halve(row.mT)[0, 0, :, 0].tolist() == wanted


def test_starts_as_published():
    """Xavier-uniform: within √(6 / (9·128 + 9·128)) = 0.0510 for 128 to 128 channels; biases at zero."""
    torch.manual_seed(0)
    blocks = WhiteBoxGenerator().at_quarter
    assert blocks[5].body[0].weight.abs().max().item() == pytest.approx(0.0510, rel=0.01)
    for network in (WhiteBoxGenerator(), WhiteBoxDiscriminator()):
        assert all(not m.bias.any() for m in network.modules() if isinstance(m, nn.Conv2d))


def test_generator_is_the_published_list_of_layers():
    """The same picture from the convolutions in order, written as one reads the paper's figure."""
    torch.manual_seed(0)
    network = WhiteBoxGenerator(width=4, blocks=2)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    for layer in convolutions:
        nn.init.normal_(layer.bias, std=0.1)
    layers = iter(convolutions)

    def convolve(x, stride=1):
        layer = next(layers)
        k = layer.kernel_size[0] // 2
        border = (0, 1, 0, 1) if stride == 2 else (k, k, k, k)
        return F.conv2d(F.pad(x, border), layer.weight, layer.bias, stride)

    def lrelu(x):
        return F.leaky_relu(x, 0.2)

    def twice(x):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    image = picture(2, 3, 24, 16)
    x0 = lrelu(convolve(image))
    x1 = lrelu(convolve(lrelu(convolve(x0, 2))))
    x2 = lrelu(convolve(lrelu(convolve(x1, 2))))
    for _ in range(2):
        x2 = x2 + convolve(lrelu(convolve(x2)))
    x2 = lrelu(convolve(x2))
    x3 = lrelu(convolve(lrelu(convolve(twice(x2) + x1))))
    x4 = convolve(lrelu(convolve(twice(x3) + x0)))
    assert next(layers, None) is None
    assert_close(network(image), x4)


def test_output_is_linear():
    """Doubling the last layer doubles the picture, beyond [-1, 1]."""
    torch.manual_seed(0)
    network, image = WhiteBoxGenerator(width=4, blocks=1), picture(1, 3, 16, 16)
    before = network(image)
    nn.init.ones_(network.paint_full[-1].bias)
    with torch.no_grad():
        network.paint_full[-1].weight.mul_(10)
    assert_close(network(image), 10 * before + 1)
    assert network(image).abs().max() > 1


@pytest.mark.parametrize("network", [WhiteBoxGenerator(width=2, blocks=1), WhiteBoxDiscriminator(width=2)])
def test_every_parameter_learns(network):
    (network(picture(2, 3, 32, 32)) * picture(1, seed=1)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("blocks", [0, 2])
def test_receptive_field_is_as_stated(blocks):
    """With positive weights nothing cancels: the furthest input with a gradient is half the stated extent away."""
    generator = WhiteBoxGenerator(width=1, blocks=blocks).double()
    for parameter in generator.parameters():
        nn.init.constant_(parameter, 0.1)
    reach = generator.receptive_field // 2
    furthest = 0
    for pixel in range(64, 68):
        image = torch.ones(1, 3, 128, 8, dtype=torch.double, requires_grad=True)
        generator(image)[..., pixel, :].sum().backward()
        rows = image.grad.abs().sum((0, 1, 3)).nonzero()
        furthest = max(furthest, pixel - rows.min().item(), rows.max().item() - pixel)
    assert furthest == reach
    assert Filtered(generator, radius=2).receptive_field == generator.receptive_field + 8


def test_filtered_tiles_are_exact():
    torch.manual_seed(0)
    network = Filtered(WhiteBoxGenerator(width=4, blocks=1)).eval()
    margin = -(-(network.receptive_field // 2) // 4) * 4
    image = picture(1, 3, 2 * margin + 32, 16)
    with torch.inference_mode():
        whole = network(image)
        tile = network(image[..., margin:, :])
        assert_close(tile[..., margin:, :], whole[..., 2 * margin :, :], atol=1e-5, rtol=0)
        assert not torch.allclose(tile[..., :8, :], whole[..., margin : margin + 8, :], atol=1e-3)


def test_filtered_is_the_guided_filter_on_the_output():
    torch.manual_seed(0)
    generator, image = WhiteBoxGenerator(width=4, blocks=1), picture(2, 3, 16, 16)
    wanted = guided_filter(image, generator(image), radius=1, eps=5e-3)
    assert_close(Filtered(generator)(image), wanted)
    assert not torch.allclose(Filtered(generator, eps=0.5)(image), wanted, atol=1e-2)
    # A flat painting stays flat whatever the photo: its covariance with anything is zero.
    nn.init.zeros_(generator.paint_full[-1].weight)
    nn.init.constant_(generator.paint_full[-1].bias, 0.25)
    assert_close(Filtered(generator)(image), torch.full_like(image, 0.25), atol=1e-5, rtol=0)


def test_spectral_norm(tmp_path):
    torch.manual_seed(0)
    network, image = WhiteBoxDiscriminator(width=2), picture(1, 3, 32, 32)
    for _ in range(50):
        network(image)  # each pass in training is one power iteration
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(layers) == 7
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)
    network.eval()
    wanted = network(image)
    torch.save(network.state_dict(), tmp_path / "scores.pt")
    other = WhiteBoxDiscriminator(width=2).eval()
    assert not torch.allclose(other(image), wanted)
    other.load_state_dict(torch.load(tmp_path / "scores.pt", weights_only=True))
    for same in (other, copy.deepcopy(network), network):
        assert_close(same(image), wanted, atol=0, rtol=0)


@pytest.mark.parametrize("wrap", [nn.Identity, Filtered])
def test_export_parity(wrap):
    torch.manual_seed(0)
    generator = WhiteBoxGenerator(width=4, blocks=2)
    network = (generator if wrap is nn.Identity else wrap(generator)).eval()
    artefact = Artefact(network, multiple=getattr(network, "multiple", 1))
    check_parity(trace(artefact), artefact)  # three sizes, 1e-4
