"""AdaIN: a content picture's features take the mean and deviation of a style picture's (Huang, Belongie, ICCV 2017)."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from sakuga.networks import features
from sakuga.networks.features import VGG, FeatureNetwork
from sakuga.networks.layers import reflected

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


def mean_std(features: Tensor, *, eps: float = 1e-5) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation √(var + ε) of every channel over the picture, each (N, C, 1, 1); var is unbiased.

    In single precision at least: their small differences are what is learned from.
    """
    exact = features.to(torch.promote_types(features.dtype, torch.float32))
    var, mean = torch.var_mean(exact, (2, 3), correction=1, keepdim=True)
    return mean, (var + eps).sqrt()


def adain(content: Tensor, style: Tensor, *, alpha: float = 1.0) -> Tensor:
    """α · AdaIN(c, s) + (1 - α) · c, with AdaIN(c, s) = σ(s) · (c - μ(c)) / σ(c) + μ(s).

    Args:
        content: features (N, C, H, W).
        style: features (N or 1, C, h, w) of any size.
        alpha: strength; 0 leaves the content.

    Raises:
        ValueError: the numbers of channels differ.

    Source: equations 8 and 14; the variance is unbiased and ε = 1e-5, as in the published codes.
    """
    if content.shape[1] != style.shape[1]:
        raise ValueError(f"style has {style.shape[1]} channels, but content has {content.shape[1]}; they must agree")
    return _adapt(content, *mean_std(style), alpha)


def _adapt(content: Tensor, mean: Tensor, std: Tensor, alpha: float) -> Tensor:
    own_mean, own_std = mean_std(content)
    return alpha * (std * (content - own_mean) / own_std + mean) + (1 - alpha) * content


class Encoder(nn.Module):
    """VGG up to relu4_1, frozen: a picture (N, 3, H, W) in [-1, 1] to a dictionary of layer name to features.

    The weights are those of a `FeatureNetwork`, computed as the paper's encoder does: a 1×1 convolution turns pictures
    into what the weights expect, 3×3 convolutions continue the picture by reflection, pooling rounds up. relu4_1 is
    (N, 512, ⌈H/8⌉, ⌈W/8⌉); sides must be nine or more, for a deviation. With VGG-19 3,505,740 parameters.

    The paper's "normalised" VGG-19 is an ordinary one whose channels were scaled to a mean activation of one. Any
    weights serve, since AdaIN commutes with scaling a channel, but the scale of the losses is theirs: torchvision's
    VGG-16 has means of 0.3 (relu1_1) to 1.3 (relu3_1) on photographs, Caffe's networks far larger ones. `normalise`
    does what was done to the paper's, and then its weights of losses carry over.

    Args:
        vgg: with VGG-19, the paper's, or VGG-16; it must reach relu4_1.

    Attributes:
        name: which of the two; the decoder mirrors it.
        source: in words, where the weights came from.

    Raises:
        ValueError: the network is no VGG, or ends before relu4_1.
    """

    def __init__(self, vgg: FeatureNetwork):
        super().__init__()
        if vgg.name not in VGG or "relu4_1" not in vgg.steps:
            raise ValueError(f"vgg must be vgg16 or vgg19 up to relu4_1 at least, not {vgg.name} to {vgg.layers[-1]}")
        self.name, self.source = vgg.name, vgg.source
        colour = nn.Conv2d(3, 3, 1)
        order = [2, 1, 0] if vgg.inputs == "caffe" else [0, 1, 2]
        colour.weight.data = torch.diag(1 / vgg.std.flatten())[order].view(3, 3, 1, 1)
        colour.bias.data = -(vgg.mean / vgg.std).flatten()[order]  # type: ignore[union-attr]
        self.steps = nn.ModuleDict({"colour": colour})
        for step, module in vgg.steps.items():
            if isinstance(module, nn.Conv2d):
                conv = reflected(module.in_channels, module.out_channels, 3)
                conv.load_state_dict(module.state_dict())
                self.steps[step] = conv
            else:
                self.steps[step] = nn.MaxPool2d(2, ceil_mode=True) if step.startswith("pool") else nn.ReLU()
            if step == "relu4_1":
                break
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor, layers: Sequence[str] = LAYERS) -> dict[str, Tensor]:
        """Run up to the last of `layers`."""
        x, found = image, {}
        for name, step in self.steps.items():
            x = step(x)
            if name in layers:
                found[name] = x
            if len(found) == len(layers):
                break
        return found

    @torch.no_grad()
    def normalise(self, images: Iterable[Tensor]) -> None:
        """Scale the weights, in place, until the channels' mean activations over `images` and positions are one.

        Rectification and pooling pass a positive factor on, so a layer divided by its means and followed by one
        multiplied by them computes what it did. A channel below a tenth of its layer's mean counts as a tenth: scaled
        up as far as few pictures hardly excite it, it would rule the losses as soon as another one does. A
        layer that no picture excites stays as it is.

        Raises:
            ValueError: no image was given.

        Source: Gatys, Ecker, Bethge, CVPR 2016, section 2.
        """
        names = [name for name in self.steps if name.startswith("relu")]
        means = [[x.mean((0, 2, 3)) for x in self(image, names).values()] for image in images]
        if not means:
            raise ValueError("images is empty: normalising needs at least one picture")
        before: Tensor | float = 1.0
        for name, measured in zip(names, zip(*means, strict=True), strict=True):
            mean = torch.stack(measured).mean(0)
            mean = mean.clamp_min(0.1 * mean.mean())
            mean = torch.where(mean > 0, mean, 1.0)
            conv = self.steps[name.replace("relu", "conv")]
            assert isinstance(conv, nn.Conv2d)
            assert conv.bias is not None
            conv.weight.mul_(before).div_(mean.view(-1, 1, 1, 1))
            conv.bias.div_(mean)
            before = mean.view(1, -1, 1, 1)


class Decoder(nn.Module):
    """relu4_1 features (N, 512, h, w) to a picture (N, 3, 8h, 8w), about [-1, 1]; 3,505,219 parameters for VGG-19.

    The encoder backwards: reflected 3×3 convolutions with ReLU after all but the last, nearest-neighbour enlarging in
    place of pooling, and no normalisation, which would bring every output to one style.

    Args:
        name: the encoder's, `vgg19` or `vgg16`.

    Source: section 6.1.
    """

    def __init__(self, name: str = "vgg19"):
        super().__init__()
        relu = nn.ReLU(inplace=True)
        first, second, third, fourth, _ = features.WIDTHS
        layers: list[nn.Module] = [reflected(fourth, third, 3), relu]
        for count, wide, narrow in zip(VGG[name][2::-1], (third, second, first), (second, first, 3), strict=True):
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            for _ in range(count - 1):
                layers += [reflected(wide, wide, 3), relu]
            layers += [reflected(wide, narrow, 3), relu]
        self.body = nn.Sequential(*layers[:-1])

    def forward(self, features: Tensor) -> Tensor:
        """Paint; the result may leave [-1, 1] a little, whoever shows it clips."""
        image: Tensor = self.body(features)
        return image


class Painter(nn.Module):
    """Encoder and decoder, which belong together: photo and style pictures (N, 3, H, W) to a picture."""

    def __init__(self, encoder: Encoder, decoder: Decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, photo: Tensor, style: Tensor, *, alpha: float = 1.0) -> Tensor:
        """Paint the photos in the styles."""
        content, target = (self.encoder(image, ("relu4_1",))["relu4_1"] for image in (photo, style))
        stylized: Tensor = self.decoder(adain(content, target, alpha=alpha))
        return stylized


class FixedStyle(nn.Module):
    """Encoder, AdaIN to given style pictures, decoder: (N, 3, H, W) in [-1, 1] to the same, as a style file needs it.

    Several pictures are blended: Σ w_k AdaIN(c, s_k) is AdaIN to the weighted means of their μ and σ (the paper's
    section 7.3). H and W are rounded up to multiples of eight.

    Args:
        encoder: as trained with.
        decoder: trained.
        styles: pictures (1, 3, h, w), of any sizes.
        weights: one per picture, of any positive sum; equal by default.
        alpha: strength.

    Raises:
        ValueError: no picture, or not one weight for each, or weights without a positive sum.
    """

    multiple = 8
    receptive_field = 0  # the content's own mean and deviation are of the whole picture

    def __init__(
        self,
        encoder: Encoder,
        decoder: nn.Module,
        styles: Sequence[Tensor],
        *,
        weights: Sequence[float] | None = None,
        alpha: float = 1.0,
    ):
        super().__init__()
        weights = [1.0] * len(styles) if weights is None else weights
        if not styles or len(weights) != len(styles) or sum(weights) <= 0:
            raise ValueError(f"weights must be one per style with a positive sum, not {weights} for {len(styles)}")
        self.encoder, self.decoder, self.alpha = encoder, decoder, alpha
        with torch.no_grad():
            measured = [mean_std(encoder(style, ("relu4_1",))["relu4_1"]) for style in styles]
        self.mean: Tensor
        self.std: Tensor
        for part, name in enumerate(("mean", "std")):
            blend = [w / sum(weights) * statistics[part] for w, statistics in zip(weights, measured, strict=True)]
            self.register_buffer(name, torch.stack(blend).sum(0))

    def forward(self, image: Tensor) -> Tensor:
        """Stylise."""
        content = self.encoder(image, ("relu4_1",))["relu4_1"]
        stylised: Tensor = self.decoder(_adapt(content, self.mean, self.std, self.alpha))
        return stylised
