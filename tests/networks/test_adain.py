import pytest
import torch
from parity import assert_exports, count, picture
from torch.testing import assert_close

from sakuga.networks.adain import LAYERS, Decoder, Encoder, FixedStyle, adain, mean_std
from sakuga.networks.features import FeatureNetwork

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use")


def vgg(name="vgg16", last="relu4_1", **options):
    network = FeatureNetwork(name, [last], weights="random:0", **options)
    generator = torch.Generator().manual_seed(0)
    for module in network.steps.values():
        if isinstance(module, torch.nn.Conv2d):
            module.bias.data.normal_(0, 0.1, generator=generator)
    return network


def test_parameter_counts():
    assert count(Encoder(vgg("vgg19", "relu5_1"))) == 3_505_740
    with torch.device("meta"):
        assert count(Decoder()) == 3_505_219
        # VGG-16 has one convolution of 256 to 256 channels less, 9·256² + 256 = 590,080.
        assert count(Decoder("vgg16")) == 3_505_219 - 590_080


class TestAdaIN:
    def test_takes_the_mean_and_deviation_of_the_style(self):
        content, style = picture(2, 4, 12, 10), 5 + 3 * picture(2, 4, 7, 9, seed=1)
        found = mean_std(adain(content, style))
        # ε inside both roots: exact to 1e-5 over the variances, 1/3 here and more.
        assert_close(found, mean_std(style), atol=1e-4, rtol=1e-4)

    def test_by_hand(self):
        content = torch.tensor([0.0, 2.0]).view(1, 1, 1, 2)  # mean 1, unbiased variance 2
        style = torch.tensor([10.0, 14.0, 18.0]).view(1, 1, 1, 3)  # mean 14, unbiased variance (16 + 0 + 16) / 2 = 16
        # 4 · (∓1) / √2 + 14 = 14 ∓ 2.82843
        whole = torch.tensor([11.17157, 16.82843]).view(1, 1, 1, 2)
        assert_close(adain(content, style), whole, atol=1e-4, rtol=0)
        assert_close(adain(content, style, alpha=0.25), 0.25 * whole + 0.75 * content, atol=1e-4, rtol=0)
        assert_close(adain(content, style, alpha=0.0), content)

    def test_one_style_serves_a_batch(self):
        content, style = picture(3, 2, 6, 6), picture(1, 2, 5, 5, seed=1)
        assert_close(adain(content, style)[1:2], adain(content[1:2], style))

    def test_flat_features_have_a_finite_gradient(self):
        content = torch.zeros(1, 2, 4, 4, requires_grad=True)
        adain(content, torch.zeros(1, 2, 4, 4)).sum().backward()
        assert content.grad.isfinite().all()

    def test_channels_must_agree(self):
        with pytest.raises(ValueError, match="style has 1 channels, but content has 2"):
            adain(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))


class TestEncoder:
    @pytest.mark.parametrize("inputs", ["torch", "caffe"])
    @pytest.mark.parametrize("name", ["vgg16", "vgg19"])
    def test_is_the_classifier_away_from_the_border(self, name, inputs):
        network = vgg(name, inputs=inputs)
        encoder, image = Encoder(network), picture(1, 3, 160, 160)
        wanted, found = network(image, LAYERS), encoder(image)
        assert list(found) == list(LAYERS)
        for layer, margin in zip(LAYERS, (1, 4, 6, 9), strict=True):
            inside = (..., slice(margin, -margin), slice(margin, -margin))
            scale = wanted[layer].abs().max()
            assert_close(found[layer][inside] / scale, wanted[layer][inside] / scale, atol=1e-5, rtol=0)
        assert not torch.allclose(found["relu1_1"], wanted["relu1_1"])  # reflection at the border, not zeros
        assert encoder.source == network.source

    def test_halves_round_up(self):
        shape = Encoder(vgg())(picture(1, 3, 33, 41), ["relu4_1"])["relu4_1"].shape
        assert shape == (1, 512, 5, 6)

    def test_is_frozen_and_passes_gradients(self):
        encoder, image = Encoder(vgg()), picture(1, 3, 32, 32).requires_grad_()
        encoder(image)["relu4_1"].sum().backward()
        assert image.grad.abs().sum() > 0
        assert all(p.grad is None for p in encoder.parameters())

    def test_normalising_scales_channels_to_mean_one(self):
        network = vgg()
        with torch.no_grad():
            network.steps["conv2_1"].bias[7] = -1e6  # a channel that nothing excites
            network.steps["conv3_1"].weight[5] *= 1e-3  # and one that is hardly excited
            network.steps["conv3_1"].bias[5] *= 1e-3
        plain, encoder = Encoder(network), Encoder(network)
        images = [picture(2, 3, 32, 32), picture(2, 3, 48, 32, seed=1)]
        encoder.normalise(images)
        for layer in LAYERS:
            means = sum(encoder(image, [layer])[layer].mean((0, 2, 3)) for image in images) / 2
            measured = sum(plain(image, [layer])[layer].mean((0, 2, 3)) for image in images)
            usual = measured > 0.1 * measured.mean()
            assert usual.sum() > 0.5 * len(usual)
            wanted = torch.where(usual, 1.0, measured / (0.1 * measured.mean()))
            assert_close(means, wanted, atol=1e-3, rtol=0)
            if layer == "relu3_1":
                assert 0 < means[5] < 0.1
        # The function is the same but for one factor per channel.
        before, after = (e(images[0])["relu4_1"].flatten(2).flatten(0, 1) for e in (plain, encoder))
        assert_close(torch.cosine_similarity(before, after)[before.any(1)], torch.ones(int(before.any(1).sum())))
        with pytest.raises(ValueError, match="images is empty"):
            encoder.normalise([])

    def test_other_networks_are_refused(self):
        with pytest.raises(ValueError, match="not vgg16 to relu3_3"):
            Encoder(vgg(last="relu3_3"))
        with pytest.raises(ValueError, match="not alexnet to relu4"):
            Encoder(vgg("alexnet", "relu4"))


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_decoder_mirrors_the_encoder(name):
    encoder, decoder = Encoder(vgg(name)), Decoder(name)
    down = [m for m in encoder.steps.values() if isinstance(m, torch.nn.Conv2d)][1:]  # without the colours
    up = [m for m in decoder.body if isinstance(m, torch.nn.Conv2d)]
    assert [(c.out_channels, c.in_channels) for c in up] == [(c.in_channels, c.out_channels) for c in reversed(down)]
    assert decoder(torch.zeros(1, 512, 3, 4)).shape == (1, 3, 24, 32)


class TestFixedStyle:
    def test_equals_its_parts(self):
        torch.manual_seed(0)
        encoder, decoder, image, style = Encoder(vgg()), Decoder("vgg16"), picture(1, 3, 32, 40), picture(1, 3, 24, 24)
        content, wanted = (encoder(x)["relu4_1"] for x in (image, style))
        for alpha in (0.0, 0.3, 1.0):
            network = FixedStyle(encoder, decoder, [style], alpha=alpha)
            assert_close(network(image), decoder(adain(content, wanted, alpha=alpha)))

    def test_blends_by_weight(self):
        """Mixing statistics is mixing the adapted features, which is what the paper writes."""
        torch.manual_seed(0)
        encoder, decoder, image = Encoder(vgg()), Decoder("vgg16"), picture(1, 3, 32, 32)
        styles = [picture(1, 3, 32, 32, seed=1), 0.1 * picture(1, 3, 48, 32, seed=2)]
        content, first, second = (encoder(x)["relu4_1"] for x in (image, *styles))
        wanted = 0.75 * adain(content, first) + 0.25 * adain(content, second)
        found = FixedStyle(encoder, decoder, styles, weights=[3, 1])(image)
        assert_close(found, decoder(wanted), atol=1e-5, rtol=1e-4)

    def test_exports(self):
        torch.manual_seed(0)
        network = FixedStyle(Encoder(vgg()), Decoder("vgg16"), [picture(1, 3, 32, 32, seed=1)], alpha=0.8)
        assert_exports(network, (32, 32), (37, 50))

    def test_wrong_styles_are_refused(self):
        encoder, decoder, style = Encoder(vgg()), Decoder("vgg16"), picture(1, 3, 16, 16)
        for styles, weights in (([], None), ([style], [1.0, 2.0]), ([style, style], [1.0, -1.0])):
            with pytest.raises(ValueError, match="weights must be one per style"):
                FixedStyle(encoder, decoder, styles, weights=weights)
