"""How large StarGAN v2's networks are, and what users run of them: a domain, and a style of noise or of a reference."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.networks.starganv2 import face_masks
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.base import Preview
from sakuga.systems.fields import AtLeast, Count, Weight
from sakuga.systems.parts.labelled import LabelledConfig, examples

MAX_ROWS = 8


@dataclass
class DomainsConfig(LabelledConfig):
    """Photos of several domains, and sizes of the networks."""

    labels: str = "folders"
    """`folders` where the photos of each domain lie in a folder of its name, or a table, FILE.csv, with a line for each
    photo: its file and its domain."""
    domains: tuple[str, ...] = ()
    """Names of the domains, found in the labels."""
    crop: int = 128
    """Side of the pictures, a power of two."""
    noise: Count = 16
    """Numbers that a style is made of."""
    numbers: Count = 64
    """Numbers of a style."""
    hidden: Count = 512
    """Units of the mapping network's layers."""
    width: Annotated[int, AtLeast(0)] = 0
    """Channels of the other networks' first layers; 0: 16,384 / --crop, as published."""
    most: Count = 512
    """Channels of any layer, at most."""
    high_pass: Weight = 0.0
    """By which a face's high frequencies are divided that pass by the style, w_hpf; 1 as published for CelebA-HQ, where
    a network of landmarks says where. 0: none pass, as for animals."""


def channels_of(config: DomainsConfig) -> dict[str, int]:
    """Return the channels of the networks that see pictures. Raises UsageError for a side that they cannot halve."""
    side = config.crop
    if side < 32 or side & (side - 1):
        raise UsageError(f"--crop {side} must be a power of two from 32 on")
    return {"width": config.width or 2**14 // side, "most": config.most}


def masks_of(image: Tensor, heat_maps: nn.Module | None) -> tuple[Tensor, ...]:
    """Masks of the faces (N, 3, H, W), see `face_masks`; none without a network of heat maps, which is not trained."""
    if heat_maps is None:
        return ()
    with torch.no_grad():
        return face_masks(heat_maps(image))


class Translator(nn.Module):
    """A photo into a domain, in the style of a reference, or of noise where the reference is all zeros.

    No picture of 8 or 16 bits has a zero in [-1, 1], so zeros say that there is none.
    """

    def __init__(self, generator: nn.Module, mapping: nn.Module, encoder: nn.Module, heat_maps: nn.Module | None):
        super().__init__()
        self.generator, self.mapping, self.encoder, self.heat_maps = generator, mapping, encoder, heat_maps

    def forward(self, image: Tensor, domain: Tensor, reference: Tensor, z: Tensor) -> Tensor:
        """(N, 3, S, S), one-hot (N, K), (N, 3, S, S) and (N, noise) to (N, 3, S, S)."""
        given = reference.abs().amax((1, 2, 3))[:, None] > 0
        style = torch.where(given, self.encoder(reference, domain), self.mapping(z, domain))
        result: Tensor = self.generator(image, style, masks_of(image, self.heat_maps))
        return result


def domain_inputs(config: DomainsConfig) -> tuple[Input, ...]:
    """Return a photo, a domain that must be chosen, and its style: a reference, or the seed of a noise."""
    domain, reference = Input("domain", "choice", names=config.domains), Input("reference", "picture", default="")
    return PICTURE, domain, reference, Input("z", "noise", size=config.noise)


def domain_preview(pictures: Pictures, config: DomainsConfig) -> Preview:
    """Four photos in one row, then each domain in two styles, eight rows at most; pictures of all domains for KID."""
    photos, domains = examples(pictures, 4, config.crop), len(config.domains)
    rows = min(MAX_ROWS, 2 * domains)
    z = torch.randn(rows, config.noise, generator=torch.Generator().manual_seed(0))
    places = torch.arange(rows) // 2
    inputs = {
        "image": photos.repeat(rows, 1, 1, 1),
        "domain": torch.eye(domains)[places].repeat_interleave(len(photos), 0),
        "reference": torch.zeros_like(photos).repeat(rows, 1, 1, 1),
        "z": z.repeat_interleave(len(photos), 0),
    }
    return Preview(inputs, examples(pictures, 64, config.crop), rows=rows)
