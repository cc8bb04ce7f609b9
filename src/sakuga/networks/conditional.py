"""Generators that are given a class, and discriminators that are given one or name it."""

from typing import Literal

import torch
from torch import Tensor, nn

from sakuga.networks.dcgan import score_head, trunk
from sakuga.networks.layers import init_normal

Condition = Literal["concat", "channel", "projection"]


class ConditionalGenerator(nn.Module):
    """A generator to whose noise the class is joined: its embedding, or with `size` 0 the one-hot vector itself.

    Args:
        body: a generator of noise, which must take as many numbers as noise and class are together.
        classes: how many there are.
        size: numbers of the embedding.

    Source: Mirza, Osindero, "Conditional Generative Adversarial Nets", 2014, where noise and class are joined behind a
    layer each; the embedding in front is the widely used teaching code's (PyTorch-GAN).
    """

    def __init__(self, body: nn.Module, classes: int, size: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, size) if size else None
        self.body = body

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """Noise (N, size) and classes as one-hot vectors (N, classes) to pictures."""
        known = label if self.embedding is None else label @ self.embedding.weight
        picture: Tensor = self.body(torch.cat([known, noise], 1))
        return picture


class MultipliedGenerator(nn.Module):
    """A generator whose noise is multiplied by an embedding of the class, as the teaching code of ACGAN has it."""

    def __init__(self, body: nn.Module, classes: int, noise: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise)
        self.body = body

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """Noise (N, size) and classes as one-hot vectors (N, classes) to pictures."""
        picture: Tensor = self.body(label @ self.embedding.weight * noise)
        return picture


class JoinedDiscriminator(nn.Module):
    """A discriminator of flat pictures to which an embedding of the class is joined.

    Args:
        body: takes pictures (N, pixels + size).
        classes: how many there are.
        size: numbers of the embedding.

    Source: as `ConditionalGenerator`.
    """

    def __init__(self, body: nn.Module, classes: int, size: int = 10):
        super().__init__()
        self.embedding = nn.Embedding(classes, size)
        self.body = body

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Pictures (N, C, H, W) and one-hot classes (N, classes) to raw scores (N, 1)."""
        score: Tensor = self.body(torch.cat([image.flatten(1), label @ self.embedding.weight], 1))
        return score


class ConditionalDCGANDiscriminator(nn.Module):
    """DCGAN's discriminator, given the class in one of three ways.

    - `concat`: an embedding is joined to the features of 4×4 places, and a hidden layer of 1×1 joins the two, as the
      paper's does: without one the class could only move the score, whatever the picture.
    - `channel`: a plane of ones among planes of zeros is joined to the picture.
    - `projection`: the score is ψ(h) + ⟨embedding, Σ h⟩ of the features h, their sum taken over the places.

    Args:
        classes: how many there are.
        how: one of the three.
        channels: of the picture.
        width: channels of the first layer.
        side: of the picture, a power of two.
        size: numbers of the embedding of `concat`.
        dropout: part of the features behind each activation that is left out in training.

    Source: Mirza, Osindero, 2014, whose dropout is 0.5; the joining at 4×4 after Reed et al., "Generative Adversarial
    Text to Image Synthesis", ICML 2016; Miyato, Koyama, "cGANs with Projection Discriminator", ICLR 2018.
    """

    def __init__(
        self,
        classes: int,
        how: Condition = "concat",
        *,
        channels: int = 3,
        width: int = 64,
        side: int = 64,
        size: int = 10,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.how = how

        def chain(*layers: nn.Module) -> nn.Sequential:
            # Within the activation's place, so that the names of weights are those without dropout.
            with_it = [nn.Sequential(x, nn.Dropout(dropout)) if isinstance(x, nn.LeakyReLU) else x for x in layers]
            return nn.Sequential(*with_it)

        layers, features = trunk(channels + (classes if how == "channel" else 0), width=width, side=side)
        self.trunk = chain(*layers)
        if how == "concat":
            self.embedding = nn.Embedding(classes, size)
            self.joint = chain(
                nn.Conv2d(features + size, features, 1, bias=False), nn.BatchNorm2d(features), nn.LeakyReLU(0.2)
            )
        elif how == "projection":
            self.embedding = nn.Embedding(classes, features)
        self.score = score_head(features)
        init_normal(self)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Pictures (N, C, H, W) and one-hot classes (N, classes) to raw scores (N, 1)."""
        if self.how == "channel":
            image = torch.cat([image, _planes(label, image)], 1)
        features = self.trunk(image)
        if self.how == "concat":
            features = self.joint(torch.cat([features, _planes(label @ self.embedding.weight, features)], 1))
        score: Tensor = self.score(features)
        if self.how == "projection":
            score = score + (label @ self.embedding.weight * features.sum((2, 3))).sum(1, keepdim=True)
        return score


class Heads(nn.Module):
    """A discriminator's convolutions and one or more linear heads on all of their features.

    Args:
        trunk: pictures to features (N, ...).
        features: how many of them.
        outputs: of each head: 1 for a score, K for classes.
    """

    def __init__(self, trunk: nn.Module, features: int, *outputs: int):
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(nn.Linear(features, count) for count in outputs)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Pictures to their features (N, features) and what each head makes of them, (N, outputs)."""
        features = self.trunk(image).flatten(1)
        return features, *(head(features) for head in self.heads)


def _planes(vector: Tensor, like: Tensor) -> Tensor:
    return vector[:, :, None, None].expand(-1, -1, *like.shape[2:]).to(like.dtype)
