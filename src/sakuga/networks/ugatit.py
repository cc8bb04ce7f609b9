"""U-GAT-IT: attention by class activation maps, and a norm that learns how to normalise (Kim et al., ICLR 2020)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sakuga.networks.layers import InstanceNorm, instance_norm, reflected
from sakuga.networks.resnet import ResidualBlock


def layer_instance_norm(x: Tensor, rho: Tensor, gamma: Tensor, beta: Tensor, *, eps: float = 1e-5) -> Tensor:
    """γ · (ρ · â_IN + (1 - ρ) · â_LN) + β, with â = (x - μ) / √(σ² + ε), for x (N, C, H, W).

    IN measures every channel of a picture, LN the picture over all channels. ρ, γ and β broadcast to (N, C, 1, 1). The
    variances are unbiased, as in the authors' PyTorch code.

    Source: equation 1.
    """
    if torch.onnx.is_in_onnx_export():
        # As it stands: in a style file what is measured is replaced where a tile is painted, the count of pixels not.
        return gamma * (rho * _standard(x, (2, 3), eps) + (1 - rho) * _standard(x, (1, 2, 3), eps)) + beta
    pixels = x.shape[2] * x.shape[3]
    # Of x / k PyTorch's norms, which take biased variances, are â / k with unbiased ones.
    k_in, k_ln = (((count - 1) / count) ** 0.5 for count in (pixels, pixels * x.shape[1]))
    a_in, a_ln = instance_norm(x / k_in, eps=eps), F.group_norm(x / k_ln, 1, eps=eps)
    # In x's precision: these are a picture's largest tensors.
    to_in, to_ln = (gamma * rho * k_in).to(x.dtype), (gamma * (1 - rho) * k_ln).to(x.dtype)
    mixed: Tensor = a_in * to_in + (a_ln * to_ln + beta.to(x.dtype))
    return mixed


def _standard(x: Tensor, over: tuple[int, ...], eps: float) -> Tensor:
    var, mean = torch.var_mean(x, over, correction=1, keepdim=True)
    return (x - mean) / (var + eps).sqrt()


class AdaLIN(nn.Module):
    """Adaptive layer-instance norm: ρ is learned, γ and β (N, C) come with each picture.

    Args:
        channels: C.
        rho: where each ρ starts; `clip_rho` of the generator keeps them in [0, 1].
    """

    def __init__(self, channels: int, *, rho: float = 0.9):
        super().__init__()
        self.rho = nn.Parameter(torch.full((1, channels, 1, 1), rho))

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        return layer_instance_norm(x, self.rho, gamma[..., None, None], beta[..., None, None])


class LIN(nn.Module):
    """Layer-instance norm with learned ρ, γ and β; starts as layer norm."""

    def __init__(self, channels: int):
        super().__init__()
        self.rho = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        return layer_instance_norm(x, self.rho, self.gamma, self.beta)


class Attention(nn.Module):
    """Weigh every channel by what it says about the domain (CAM, Zhou et al., CVPR 2016).

    Two linear classifiers see the picture's features pooled by mean and by maximum; each one's weights w multiply the
    features, and a 1×1 convolution joins the two. Logits and weights come from one reading of w, so with spectral norm
    both are of the normalised w; the authors' PyTorch code takes the unnormalised for the weights.

    Args:
        channels: of the features.
        activation: after the 1×1 convolution.
        spectral: normalise the classifiers.
    """

    def __init__(self, channels: int, activation: nn.Module, *, spectral: bool = False):
        super().__init__()
        self.by_mean, self.by_max = (nn.Linear(channels, 1, bias=False) for _ in range(2))
        if spectral:
            spectral_norm(self.by_mean)
            spectral_norm(self.by_max)
        self.join = nn.Conv2d(2 * channels, channels, 1)
        self.activation = activation

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the attended features (N, C, H, W), the logits (N, 2) and the heat map (N, 1, H, W)."""
        w_mean, w_max = self.by_mean.weight, self.by_max.weight
        logits = torch.cat([F.linear(x.mean((2, 3)), w_mean), F.linear(x.amax((2, 3)), w_max)], 1)
        weighed = torch.cat([x * w_mean[..., None, None], x * w_max[..., None, None]], 1)
        x = self.activation(self.join(weighed))
        return x, logits, x.sum(1, keepdim=True)


class AdaptiveBlock(nn.Module):
    """x + AdaLIN(conv(ReLU(AdaLIN(conv(x))))), reflected 3×3 convolutions."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.conv2 = (reflected(channels, channels, 3, bias=False) for _ in range(2))
        self.norm1, self.norm2 = AdaLIN(channels), AdaLIN(channels)

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y = F.relu(self.norm1(self.conv1(x), gamma, beta))
        z: Tensor = x + self.norm2(self.conv2(y), gamma, beta)
        return z


class UGATITGenerator(nn.Module):
    """One domain to the other, (N, 3, H, W) in [-1, 1] to the same.

    Parameters: light 10,589,888; full 278,959,808 for 256×256 and 77,633,216 for 128×128.

    The light version computes γ and β from the features averaged over the picture, so it takes any size. The full
    version computes them from every position of the (size/4)² features, by one linear layer that holds nearly all its
    parameters: it belongs to pictures of `size`×`size`, where it is the published network. On others the features are
    first resampled (bilinear) to that grid. That runs and gives a picture, but of a network that was never trained on
    features of such a scale or shape: train with crops of `size`.

    Sides should be multiples of four; others are rounded up to one. They must be seven or more.

    Args:
        width: channels of the first layer.
        blocks: residual blocks, before the attention and again after it.
        light: which version.
        size: side of the training pictures, a multiple of four; the light version ignores it.

    Raises:
        ValueError: `size` is no multiple of four.

    Source: Kim, Kim, Kang, Lee, "U-GAT-IT: Unsupervised Generative Attentional Networks with Adaptive Layer-Instance
    Normalization for Image-to-Image Translation", ICLR 2020, appendix; biases, ρ and the start of the weights (torch's
    own) as in the authors' PyTorch code.
    """

    multiple = 4
    receptive_field = 0  # norms and attention see the whole picture

    def __init__(self, *, width: int = 64, blocks: int = 4, light: bool = True, size: int = 256):
        super().__init__()
        if size % 4:
            raise ValueError(f"size must be a multiple of four, not {size}")
        wide = 4 * width

        def down(channels: int, out: int, kernel: int, stride: int) -> list[nn.Module]:
            conv = reflected(channels, out, kernel, stride=stride, bias=False)
            return [conv, InstanceNorm(out), nn.ReLU(inplace=True)]

        def up(channels: int) -> list[nn.Module]:
            conv = reflected(channels, channels // 2, 3, bias=False)
            return [nn.Upsample(scale_factor=2, mode="nearest"), conv, LIN(channels // 2), nn.ReLU(inplace=True)]

        self.encoder = nn.Sequential(
            *down(3, width, 7, 1),
            *down(width, 2 * width, 3, 2),
            *down(2 * width, wide, 3, 2),
            *(ResidualBlock(wide, bias=False) for _ in range(blocks)),
        )
        self.attention = Attention(wide, nn.ReLU(inplace=True))
        self.grid = 1 if light else size // 4
        self.mlp = nn.Sequential(
            nn.Linear(wide * self.grid**2, wide, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(wide, wide, bias=False),
            nn.ReLU(inplace=True),
        )
        self.gamma = nn.Linear(wide, wide, bias=False)
        self.beta = nn.Linear(wide, wide, bias=False)
        self.blocks = nn.ModuleList(AdaptiveBlock(wide) for _ in range(blocks))
        self.decoder = nn.Sequential(*up(wide), *up(2 * width), reflected(width, 3, 7, bias=False), nn.Tanh())

    def forward(self, image: Tensor, attention: bool = False) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Translate; with `attention` return the CAM logits (N, 2) and the heat map (N, 1, H/4, W/4) too."""
        x, logits, heatmap = self.attention(self.encoder(image))
        features = self.mlp(self._pool(x).flatten(1))
        gamma, beta = self.gamma(features), self.beta(features)
        for block in self.blocks:
            x = block(x, gamma, beta)
        translated: Tensor = self.decoder(x)
        return (translated, logits, heatmap) if attention else translated

    def _pool(self, x: Tensor) -> Tensor:
        if self.grid == 1:
            return x.mean((2, 3))
        return F.interpolate(x, size=(self.grid, self.grid), mode="bilinear", align_corners=False)

    @torch.no_grad()
    def clip_rho(self) -> None:
        """Bring every ρ back into [0, 1]; call it after each step of the generators (equation 1)."""
        for module in self.modules():
            if isinstance(module, (AdaLIN, LIN)):
                module.rho.clamp_(0, 1)


class UGATITDiscriminator(nn.Module):
    """Patch scores and CAM logits of a picture (N, 3, H, W), spectral norm on all but the 1×1 convolution.

    Args:
        width: channels of the first layer; they double at each further one.
        layers: as the authors count: `layers` - 2 convolutions of stride 2, one of stride 1, one for the scores. 7 is
            the global discriminator (53,130,176 parameters), 5 the local one (3,290,560).

    Raises:
        ValueError: fewer than three layers.

    Source: as the generator.
    """

    def __init__(self, *, width: int = 64, layers: int = 7):
        super().__init__()
        if layers < 3:
            raise ValueError(f"layers must be 3 or more, not {layers}")
        self.encoder = nn.Sequential()
        channels, out = 3, width
        for i in range(layers - 1):
            stride = 2 if i < layers - 2 else 1
            conv = nn.Conv2d(channels, out, 4, stride=stride, padding=1, padding_mode="reflect")
            self.encoder.extend([spectral_norm(conv), nn.LeakyReLU(0.2, inplace=True)])
            channels, out = out, 2 * out
        self.attention = Attention(channels, nn.LeakyReLU(0.2, inplace=True), spectral=True)
        self.last = spectral_norm(nn.Conv2d(channels, 1, 4, padding=1, padding_mode="reflect", bias=False))

    def forward(self, image: Tensor, attention: bool = False) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Score every patch, (N, 1, h, w), no sigmoid; with `attention` the CAM logits (N, 2) and the heat map too."""
        x, logits, heatmap = self.attention(self.encoder(image))
        scores: Tensor = self.last(x)
        return (scores, logits, heatmap) if attention else scores
