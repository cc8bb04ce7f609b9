import pytest
import torch
import torch.nn.functional as F
from parity import assert_exports, count, picture
from torch import nn
from torch.testing import assert_close

from sakuga.networks.ugatit import (
    LIN,
    AdaLIN,
    Attention,
    UGATITDiscriminator,
    UGATITGenerator,
    layer_instance_norm,
)


def test_parameter_counts():
    with torch.device("meta"):
        assert count(UGATITGenerator()) == 10_589_888
        assert count(UGATITGenerator(light=False)) == 278_959_808
        assert count(UGATITGenerator(light=False, size=128)) == 77_633_216
        assert count(UGATITDiscriminator()) == 53_130_176
        assert count(UGATITDiscriminator(layers=5)) == 3_290_560


class TestNorms:
    def test_by_hand(self):
        x = torch.tensor([[1.0, 3.0], [5.0, 11.0]]).view(1, 2, 1, 2)
        # IN: means 2 and 8, unbiased variances 2 and 18, so both channels become ∓1/√2 = ∓0.707107.
        # LN: mean 5, squares 16 + 4 + 0 + 36 = 56, unbiased variance 56/3, deviation 4.320494: -0.925820, -0.462910,
        # 0, 1.388730.
        a_in = torch.tensor([-0.707107, 0.707107, -0.707107, 0.707107])
        a_ln = torch.tensor([-0.925820, -0.462910, 0.0, 1.388730])
        for rho in (0.0, 0.25, 1.0):
            wanted = 2 * (rho * a_in + (1 - rho) * a_ln) + 0.5
            found = layer_instance_norm(x, torch.tensor(rho), torch.tensor(2.0), torch.tensor(0.5))
            assert_close(found.flatten(), wanted, atol=1e-5, rtol=0)

    def test_the_two_ends_are_instance_and_layer_norm(self):
        """But for Bessel's correction: n - 1 in place of n under the variance."""
        x, gamma, beta = picture(2, 4, 6, 5), picture(2, 4, seed=1), picture(2, 4, seed=2)
        for rho, norm, n in ((1.0, F.instance_norm(x, eps=0), 30), (0.0, F.layer_norm(x, (4, 6, 5), eps=0), 120)):
            wanted = gamma[..., None, None] * norm * ((n - 1) / n) ** 0.5 + beta[..., None, None]
            assert_close(AdaLIN(4, rho=rho)(x, gamma, beta), wanted, atol=1e-4, rtol=0)

    def test_starting_values(self):
        assert (AdaLIN(3).rho == 0.9).all()
        x = picture(1, 3, 8, 8)
        assert_close(LIN(3)(x), AdaLIN(3, rho=0.0)(x, torch.ones(1, 3), torch.zeros(1, 3)))

    def test_samples_do_not_mix(self):
        x = picture(2, 3, 8, 8)
        assert_close(LIN(3)(x)[1:], LIN(3)(x[1:]))


class TestAttention:
    def test_by_hand(self):
        head = Attention(2, nn.ReLU())
        with torch.no_grad():
            head.by_mean.weight.copy_(torch.tensor([[2.0, 0.0]]))
            head.by_max.weight.copy_(torch.tensor([[0.0, 3.0]]))
            # First output: channel 0 weighed by the mean's classifier; second: channel 1 by the maximum's, less 20.
            head.join.weight.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1.0]]).view(2, 4, 1, 1))
            head.join.bias.copy_(torch.tensor([0.0, -20.0]))
        x = torch.tensor([[1.0, 2.0, 3.0, 6.0], [4.0, 8.0, 7.0, 5.0]]).view(1, 2, 2, 2)
        attended, logits, heatmap = head(x)
        assert_close(logits, torch.tensor([[6.0, 24.0]]))  # 2 · mean 3, 3 · max 8
        wanted = torch.tensor([[2.0, 4.0, 6.0, 12.0], [0.0, 4.0, 1.0, 0.0]]).view(1, 2, 2, 2)  # 3 · (4, 8, 7, 5) - 20
        assert_close(attended, wanted)
        assert_close(heatmap, wanted.sum(1, keepdim=True))

    def test_spectral_norm_reaches_the_weights_of_the_map(self):
        """A classifier's matrix has one row, so its normalised weights have length one, whatever their scale."""
        torch.manual_seed(0)
        discriminator, image = UGATITDiscriminator(width=4, layers=4).eval(), picture(1, 3, 32, 32)
        before = discriminator(image, attention=True)
        for classifier in (discriminator.attention.by_mean, discriminator.attention.by_max):
            assert_close(classifier.weight.norm(), torch.tensor(1.0))
            with torch.no_grad():
                classifier.parametrizations.weight.original.mul_(10)
        assert_close(discriminator(image, attention=True), before)


class TestGenerator:
    @pytest.mark.parametrize("light", [True, False])
    def test_shapes(self, light):
        network = UGATITGenerator(width=4, blocks=1, light=light, size=32)
        for size, wanted in (((32, 32), (32, 32)), ((20, 48), (20, 48)), ((33, 30), (36, 32)), ((7, 7), (8, 8))):
            image, logits, heatmap = network(picture(2, 3, *size), attention=True)
            assert image.shape == (2, 3, *wanted)
            assert logits.shape == (2, 2)
            assert heatmap.shape == (2, 1, wanted[0] // 4, wanted[1] // 4)
        assert torch.equal(network(picture(2, 3, 7, 7)), image)

    def test_full_version_at_its_own_size_sees_every_feature_as_it_is(self):
        network = UGATITGenerator(width=4, blocks=1, light=False, size=32)
        seen = {}
        network.attention.register_forward_hook(lambda _m, _i, outputs: seen.update(features=outputs[0]))
        network.mlp.register_forward_hook(lambda _m, inputs, _o: seen.update(flat=inputs[0]))
        network(picture(1, 3, 32, 32))
        assert torch.equal(seen["flat"], seen["features"].flatten(1))

    def test_clip_rho(self):
        network = UGATITGenerator(width=4, blocks=1)
        rhos = [p for name, p in network.named_parameters() if name.endswith("rho")]
        assert len(rhos) == 4  # two in the block, two on the way up
        with torch.no_grad():
            for rho in rhos:
                rho[:, 0], rho[:, 1], rho[:, 2] = -0.3, 1.7, 0.4
        network.clip_rho()
        for rho in rhos:
            assert_close(rho[0, :3, 0, 0], torch.tensor([0.0, 1.0, 0.4]))

    @pytest.mark.parametrize("light", [True, False])
    def test_exports(self, light):
        torch.manual_seed(0)
        assert_exports(UGATITGenerator(width=8, blocks=2, light=light, size=64), (64, 64), (40, 92), (37, 50))

    def test_wrong_size_is_refused(self):
        with pytest.raises(ValueError, match="size must be a multiple of four, not 30"):
            UGATITGenerator(light=False, size=30)


class TestDiscriminator:
    @pytest.mark.parametrize(("layers", "side"), [(7, 6), (5, 30)])
    def test_shapes(self, layers, side):
        # 256 is halved layers - 2 times, then two convolutions of kernel 4, padding 1 take one pixel each.
        discriminator = UGATITDiscriminator(width=2, layers=layers)
        scores, logits, heatmap = discriminator(picture(2, 3, 256, 256), attention=True)
        assert scores.shape == (2, 1, side, side)
        assert logits.shape == (2, 2)
        assert heatmap.shape == (2, 1, side + 1, side + 1)
        assert discriminator(picture(1, 3, 256, 256)).shape == (1, 1, side, side)

    def test_every_convolution_but_the_1x1_is_normalised(self):
        discriminator = UGATITDiscriminator(width=2, layers=5)
        plain = [n for n, m in discriminator.named_modules()
                 if isinstance(m, (nn.Conv2d, nn.Linear)) and not hasattr(m, "parametrizations")]  # fmt: skip
        assert plain == ["attention.join"]
        assert discriminator.last.bias is None

    def test_too_few_layers_are_refused(self):
        with pytest.raises(ValueError, match="layers must be 3 or more, not 2"):
            UGATITDiscriminator(layers=2)
