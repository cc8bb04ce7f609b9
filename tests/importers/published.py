"""The published networks written down plainly, with the published names, independently of the package's own.

Their `state_dict()` has the names and shapes of the published files; each maps what its project fed it to what it
painted, which is not always [-1, 1].
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


def randomised(network, seed=0):
    """Every parameter drawn, gains about one, ρ in [0, 1]; in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in network.named_parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / max(1, p[0].numel()) ** 0.5)
            if p.ndim == 1:
                p.mul_(0.2).add_(0.0 if name.endswith(("bias", "shift")) else 1.0)
            if name.endswith("rho"):
                p.copy_(torch.rand(p.shape, generator=generator))
    return network.eval()


def count(weights):
    """Parameters: running statistics and fixed filters are none."""
    return sum(t.numel() for name, t in weights.items() if not name.endswith(("_mean", "_var", "_tracked", "filt")))


class Plus(nn.Module):
    """x + f(x), f under the name that its project gave it."""

    def __init__(self, name, *layers):
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x):
        return x + getattr(self, self.name)(x)


class Wrapped(nn.Module):
    def __init__(self, name, network):
        super().__init__()
        self.name = name
        self.add_module(name, network)

    def forward(self, x):
        return getattr(self, self.name)(x)


class Down(nn.Module):
    """CUT's: blurred by the binomial filter of three, every second pixel."""

    def __init__(self, channels):
        super().__init__()
        f = torch.tensor([1.0, 2, 1])
        self.register_buffer("filt", (f[:, None] * f / 16).repeat(channels, 1, 1, 1))

    def forward(self, x):
        return F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), self.filt, stride=2, groups=x.shape[1])


class Up(nn.Module):
    """CUT's: zeros between the pixels, then the binomial filter of four."""

    def __init__(self, channels):
        super().__init__()
        f = torch.tensor([1.0, 3, 3, 1])
        self.register_buffer("filt", (f[:, None] * f / 64 * 4).repeat(channels, 1, 1, 1))

    def forward(self, x):
        x = F.pad(x, (1, 1, 1, 1), "replicate")
        return F.conv_transpose2d(x, self.filt, stride=2, padding=2, groups=x.shape[1])[:, :, 1:-1, 1:-1]


def resnet(*, width=64, blocks=9, dropout=False, antialias=False, norm=nn.InstanceNorm2d):
    def block(c):
        half = [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), norm(c)]
        drop = [nn.Dropout(0.5)] if dropout else []
        return Plus("conv_block", *half, nn.ReLU(), *drop, nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), norm(c))

    def down(c):
        if antialias:
            return [nn.Conv2d(c, 2 * c, 3, padding=1), norm(2 * c), nn.ReLU(), Down(2 * c)]
        return [nn.Conv2d(c, 2 * c, 3, stride=2, padding=1), norm(2 * c), nn.ReLU()]

    def up(c):
        conv = [nn.ConvTranspose2d(c, c // 2, 3, stride=2, padding=1, output_padding=1)]
        if antialias:
            conv = [Up(c), nn.Conv2d(c, c // 2, 3, padding=1)]
        return [*conv, norm(c // 2), nn.ReLU()]

    first = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), norm(width), nn.ReLU()]
    last = [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
    middle = [block(4 * width) for _ in range(blocks)]
    body = nn.Sequential(*first, *down(width), *down(2 * width), *middle, *up(4 * width), *up(2 * width), *last)
    return Wrapped("model", body)


def unet(*, width=64, levels=8, batch=True):
    norm = nn.BatchNorm2d if batch else nn.InstanceNorm2d

    def conv(i, o):
        return nn.Conv2d(i, o, 4, stride=2, padding=1, bias=not batch)

    def deconv(i, o, bias=not batch):
        return nn.ConvTranspose2d(i, o, 4, stride=2, padding=1, bias=bias)

    class Level(nn.Module):
        def __init__(self, *layers):
            super().__init__()
            self.model = nn.Sequential(*layers)

        def forward(self, x):
            return torch.cat([x, self.model(x)], 1)

    widths = [width * min(2**i, 8) for i in range(levels)]
    outer, inner = widths[-2:]
    block = Level(nn.LeakyReLU(0.2), conv(outer, inner), nn.ReLU(), deconv(inner, outer), norm(outer))
    for outer, inner in reversed(list(pairwise(widths[:-1]))):
        down = [nn.LeakyReLU(0.2), conv(outer, inner), norm(inner)]
        up = [nn.ReLU(), deconv(2 * inner, outer), norm(outer), *([nn.Dropout(0.5)] if outer == inner else [])]
        block = Level(*down, block, *up)
    outermost = nn.Sequential(conv(3, width), block, nn.ReLU(), deconv(2 * width, 3, True), nn.Tanh())
    return Wrapped("model", Wrapped("model", outermost))


class Animegan2(nn.Module):
    def __init__(self):
        super().__init__()

        def cnl(i, o, k=3, s=1, g=1, bias=False):
            pad = nn.ReflectionPad2d((0, 1, 0, 1) if s == 2 else k // 2)
            return nn.Sequential(pad, nn.Conv2d(i, o, k, s, groups=g, bias=bias), nn.GroupNorm(1, o), nn.LeakyReLU(0.2))

        def irb(i, o):
            wide = cnl(i, 2 * i, 1), cnl(2 * i, 2 * i, g=2 * i, bias=True)
            layers = *wide, nn.Conv2d(2 * i, o, 1, bias=False), nn.GroupNorm(1, o)
            return Plus("layers", *layers) if i == o else Wrapped("layers", nn.Sequential(*layers))

        self.block_a = nn.Sequential(cnl(3, 32, 7), cnl(32, 64, s=2), cnl(64, 64))
        self.block_b = nn.Sequential(cnl(64, 128, s=2), cnl(128, 128))
        inverted = irb(128, 256), irb(256, 256), irb(256, 256), irb(256, 256)
        self.block_c = nn.Sequential(cnl(128, 128), *inverted, cnl(256, 128))
        self.block_d = nn.Sequential(cnl(128, 128), cnl(128, 128))
        self.block_e = nn.Sequential(cnl(128, 64), cnl(64, 64), cnl(64, 32, 7))
        self.out_layer = nn.Sequential(nn.Conv2d(32, 3, 1, bias=False), nn.Tanh())

    def forward(self, x):
        half = self.block_a(x)
        y = self.block_c(self.block_b(half))
        y = self.block_d(F.interpolate(y, half.shape[2:], mode="bilinear", align_corners=True))
        y = self.block_e(F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True))
        return self.out_layer(y)


class FastNeuralStyle(nn.Module):
    """Pixels of 0 to 255 to the same; `wrapped` as in newer files, whose convolutions lie one level deeper."""

    def __init__(self, *, wrapped=True):
        super().__init__()

        def conv(i, o, k, s=1):
            layer = nn.Conv2d(i, o, k, s, padding=k // 2, padding_mode="reflect")
            return Wrapped("conv2d", layer) if wrapped else layer

        def residual():
            block = nn.Module()
            block.conv1, block.in1 = conv(128, 128, 3), nn.InstanceNorm2d(128, affine=True)
            block.conv2, block.in2 = conv(128, 128, 3), nn.InstanceNorm2d(128, affine=True)
            return block

        for i, (a, b, k, s) in enumerate(((3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)), start=1):
            self.add_module(f"conv{i}", conv(a, b, k, s))
            self.add_module(f"in{i}", nn.InstanceNorm2d(b, affine=True))
        for i in range(1, 6):
            self.add_module(f"res{i}", residual())
        self.deconv1, self.in4 = conv(128, 64, 3), nn.InstanceNorm2d(64, affine=True)
        self.deconv2, self.in5 = conv(64, 32, 3), nn.InstanceNorm2d(32, affine=True)
        self.deconv3 = conv(32, 3, 9)

    def forward(self, x):
        for i in (1, 2, 3):
            x = getattr(self, f"in{i}")(getattr(self, f"conv{i}")(x)).relu()
        for i in range(1, 6):
            block = getattr(self, f"res{i}")
            x = x + block.in2(block.conv2(block.in1(block.conv1(x)).relu()))
        x = self.in4(self.deconv1(F.interpolate(x, scale_factor=2))).relu()
        x = self.in5(self.deconv2(F.interpolate(x, scale_factor=2))).relu()
        return self.deconv3(x)


class Cartoongan(nn.Module):
    """BGR to BGR."""

    class Norm(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.scale, self.shift = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

        def forward(self, x):
            centred = x - x.mean((2, 3), keepdim=True)
            x = centred / (centred.square().mean((2, 3), keepdim=True) + 1e-9).sqrt()
            return x * self.scale.view(-1, 1, 1) + self.shift.view(-1, 1, 1)

    def __init__(self, width=64):
        super().__init__()
        a, b, c = width, 2 * width, 4 * width
        self.conv01_1, self.in01_1 = nn.Conv2d(3, a, 7), self.Norm(a)
        self.conv02_1, self.conv02_2 = nn.Conv2d(a, b, 3, 2, 1), nn.Conv2d(b, b, 3, 1, 1)
        self.conv03_1, self.conv03_2 = nn.Conv2d(b, c, 3, 2, 1), nn.Conv2d(c, c, 3, 1, 1)
        self.in02_1, self.in03_1 = self.Norm(b), self.Norm(c)
        for i in range(4, 12):
            for j in (1, 2):
                self.add_module(f"conv{i:02}_{j}", nn.Conv2d(c, c, 3))
                self.add_module(f"in{i:02}_{j}", self.Norm(c))
        self.deconv01_1, self.deconv01_2 = nn.ConvTranspose2d(c, b, 3, 2, 1, 1), nn.Conv2d(b, b, 3, 1, 1)
        self.deconv02_1, self.deconv02_2 = nn.ConvTranspose2d(b, a, 3, 2, 1, 1), nn.Conv2d(a, a, 3, 1, 1)
        self.in12_1, self.in13_1 = self.Norm(b), self.Norm(a)
        self.deconv03_1 = nn.Conv2d(a, 3, 7)

    def forward(self, x):
        x = self.in01_1(self.conv01_1(F.pad(x, (3,) * 4, "reflect"))).relu()
        x = self.in02_1(self.conv02_2(self.conv02_1(x))).relu()
        x = self.in03_1(self.conv03_2(self.conv03_1(x))).relu()
        for i in range(4, 12):
            conv1, norm1, conv2, norm2 = (getattr(self, f"{kind}{i:02}_{j}") for j in (1, 2) for kind in ("conv", "in"))
            y = norm1(conv1(F.pad(x, (1,) * 4, "reflect"))).relu()
            x = x + norm2(conv2(F.pad(y, (1,) * 4, "reflect")))
        x = self.in12_1(self.deconv01_2(self.deconv01_1(x))).relu()
        x = self.in13_1(self.deconv02_2(self.deconv02_1(x))).relu()
        return self.deconv03_1(F.pad(x, (3,) * 4, "reflect")).tanh()


class Ugatit(nn.Module):
    class Norm(nn.Module):
        def __init__(self, channels, own):
            super().__init__()
            self.rho = nn.Parameter(torch.rand(1, channels, 1, 1))
            if own:
                self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
                self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

        def forward(self, x, gamma=None, beta=None):
            instance = (x - x.mean((2, 3), True)) / (x.var((2, 3), keepdim=True) + 1e-5).sqrt()
            layer = (x - x.mean((1, 2, 3), True)) / (x.var((1, 2, 3), keepdim=True) + 1e-5).sqrt()
            gamma = self.gamma if gamma is None else gamma[:, :, None, None]
            beta = self.beta if beta is None else beta[:, :, None, None]
            return gamma * (self.rho * instance + (1 - self.rho) * layer) + beta

    def __init__(self, *, width=64, blocks=4, light=True, size=256):
        super().__init__()
        self.light, self.blocks, c = light, blocks, 4 * width

        def conv(i, o, k=3, s=1):
            return [nn.ReflectionPad2d(k // 2), nn.Conv2d(i, o, k, s, bias=False)]

        def down(i, o, k, s):
            return [*conv(i, o, k, s), nn.InstanceNorm2d(o), nn.ReLU()]

        def residual():
            norm = nn.InstanceNorm2d(c)
            return Plus("conv_block", *conv(c, c), norm, nn.ReLU(), *conv(c, c), nn.InstanceNorm2d(c))

        self.DownBlock = nn.Sequential(
            *down(3, width, 7, 1), *down(width, 2 * width, 3, 2), *down(2 * width, c, 3, 2)
        ).extend(residual() for _ in range(blocks))
        self.gap_fc, self.gmp_fc = nn.Linear(c, 1, bias=False), nn.Linear(c, 1, bias=False)
        self.conv1x1 = nn.Conv2d(2 * c, c, 1)
        seen = c if light else c * (size // 4) ** 2
        self.FC = nn.Sequential(
            nn.Linear(seen, c, bias=False), nn.ReLU(), nn.Linear(c, c, bias=False), nn.ReLU()
        )  # fmt: skip
        self.gamma, self.beta = nn.Linear(c, c, bias=False), nn.Linear(c, c, bias=False)
        for i in range(1, blocks + 1):
            block = nn.Module()
            block.conv1, block.conv2 = (nn.Conv2d(c, c, 3, bias=False) for _ in range(2))
            block.norm1, block.norm2 = self.Norm(c, False), self.Norm(c, False)
            self.add_module(f"UpBlock1_{i}", block)
        up = [[nn.Upsample(scale_factor=2), *conv(i, i // 2), self.Norm(i // 2, True), nn.ReLU()] for i in (c, c // 2)]
        self.UpBlock2 = nn.Sequential(*up[0], *up[1], *conv(width, 3, 7), nn.Tanh())

    def forward(self, x):
        x = self.DownBlock(x)
        by_mean = x * self.gap_fc.weight[:, :, None, None]
        by_max = x * self.gmp_fc.weight[:, :, None, None]
        x = self.conv1x1(torch.cat([by_mean, by_max], 1)).relu()
        seen = self.FC(x.mean((2, 3)) if self.light else x.flatten(1))
        gamma, beta = self.gamma(seen), self.beta(seen)
        for i in range(1, self.blocks + 1):
            block = getattr(self, f"UpBlock1_{i}")
            y = block.norm1(block.conv1(F.pad(x, (1,) * 4, "reflect")), gamma, beta).relu()
            x = x + block.norm2(block.conv2(F.pad(y, (1,) * 4, "reflect")), gamma, beta)
        return self.UpBlock2(x)


def adain(width=64):
    """Encoder up to relu5_4 and decoder, colours of 0 to 1."""

    def stage(*widths):
        layers = [[nn.ReflectionPad2d(1), nn.Conv2d(i, o, 3), nn.ReLU()] for i, o in pairwise(widths)]
        return [layer for group in layers for layer in group]

    def pool():
        return nn.MaxPool2d(2, ceil_mode=True)

    a, b, c, d = width, 2 * width, 4 * width, 8 * width
    encoder = [nn.Conv2d(3, 3, 1), *stage(3, a, a), pool(), *stage(a, b, b), pool(), *stage(b, *[c] * 4)]
    encoder += [pool(), *stage(c, *[d] * 4), pool(), *stage(*[d] * 5)]
    decoder = [*stage(d, c), nn.Upsample(scale_factor=2), *stage(c, c, c, c, b), nn.Upsample(scale_factor=2)]
    decoder += [*stage(b, b, a), nn.Upsample(scale_factor=2), *stage(a, a, 3)[:-1]]
    return nn.Sequential(*encoder), nn.Sequential(*decoder)
