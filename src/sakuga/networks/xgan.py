"""XGAN's networks: two autoencoders that share their middle, and what judges pictures and embeddings."""

from itertools import pairwise
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

SIDES = ("photo", "style")


class Encoded(NamedTuple):
    """What becomes of a picture: its embedding (N, E), and that decoded as a photo and as of the style (N, 3, S, S)."""

    embedding: Tensor
    photo: Tensor
    style: Tensor


class XGANGenerator(nn.Module):
    """Encoders and decoders of photos and of a style, whose layers next to the embedding are the same ones.

    Encoder: 4x4 convolutions of stride 2 to w, 2w (a side's own), 4w, 8w (shared), two fully connected layers to the
    embedding, which has length 1. Decoder: transposed convolutions from 1x1 to 16w, 8w (shared), 4w, 2w, 3 (own), tanh.
    Batch norm, leaky slope 0.2 on the way down and ReLU on the way up.

    Args:
        width: w, 32 in the paper.
        embedding: its numbers, E.
        side: of the pictures, a multiple of 16; 64 in the paper.

    Source: Royer et al. (XGAN), 2017, section 3 and its appendix. That the embedding is scaled to length 1 is from a
    published implementation: the semantic term could else be met by making it small.

    Raises:
        ValueError: `side` is no multiple of 16.
    """

    def __init__(self, *, width: int = 32, embedding: int = 1024, side: int = 64):
        super().__init__()
        if side < 16 or side % 16:
            raise ValueError(f"side must be a multiple of 16, not {side}")
        least = side // 16
        self.encoders = nn.ModuleDict(
            {name: nn.Sequential(*_down(3, width), *_down(width, 2 * width)) for name in SIDES}
        )
        self.encoder = nn.Sequential(
            *_down(2 * width, 4 * width),
            *_down(4 * width, 8 * width),
            nn.Flatten(),
            nn.Linear(8 * width * least**2, embedding),
            nn.LeakyReLU(0.2),
            nn.Linear(embedding, embedding),
        )
        first = nn.ConvTranspose2d(embedding, 16 * width, least, bias=False)
        self.decoder = nn.Sequential(first, nn.BatchNorm2d(16 * width), nn.ReLU(), *_up(16 * width, 8 * width))
        self.decoders = nn.ModuleDict(
            {
                name: nn.Sequential(
                    *_up(8 * width, 4 * width),
                    *_up(4 * width, 2 * width),
                    nn.ConvTranspose2d(2 * width, 3, 4, stride=2, padding=1),
                    nn.Tanh(),
                )
                for name in SIDES
            }
        )

    def forward(self, image: Tensor, side: str) -> Encoded:
        """Encode pictures (N, 3, S, S) in [-1, 1] of a side, `photo` or `style`, and decode them as of both."""
        embedding = F.normalize(self.encoder(self.encoders[side](image)))
        shared = self.decoder(embedding[:, :, None, None])
        return Encoded(embedding, *(self.decoders[name](shared) for name in SIDES))


class Translation(nn.Module):
    """A generator's way to the style, and its way back, as the choice `to` (N, 2) wants."""

    def __init__(self, generator: XGANGenerator):
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, to: Tensor) -> Tensor:
        """Translate (N, 3, S, S) in [-1, 1]."""
        style, photo = self.generator(image, "photo").style, self.generator(image, "style").photo
        chosen = to[:, :, None, None, None]
        result: Tensor = chosen[:, 0] * style + chosen[:, 1] * photo
        return result


class XGANDiscriminator(nn.Module):
    """A picture (N, 3, S, S) to a raw score (N, 1): four 4x4 convolutions of stride 2, one fully connected layer."""

    def __init__(self, *, width: int = 16, side: int = 64):
        super().__init__()
        channels = (3, width, 2 * width, 2 * width, 2 * width)
        convolutions: list[nn.Module] = []
        for a, b in pairwise(channels):
            convolutions += [nn.Conv2d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(2 * width * (side // 16) ** 2, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Score pictures; no sigmoid."""
        score: Tensor = self.body(image)
        return score


class DomainClassifier(nn.Module):
    """An embedding (N, E) to the logit (N, 1) of its being a photo's: two fully connected layers, 16 units between."""

    def __init__(self, embedding: int = 1024):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(embedding, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def forward(self, embedding: Tensor) -> Tensor:
        """Tell where embeddings come from; no sigmoid."""
        logit: Tensor = self.body(embedding)
        return logit


def _down(channels: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(out), nn.LeakyReLU(0.2)]


def _up(channels: int, out: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
