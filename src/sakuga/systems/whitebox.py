"""White-box cartoonization: surface, structure and texture, each with a term of its own (Wang, Yu, CVPR 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor

from sakuga.data.columns import Column
from sakuga.data.dataset import Dataset
from sakuga.data.derived.segments import Segments, each, superpixels
from sakuga.data.images import to_uint8
from sakuga.losses import (
    content,
    guided_filter,
    l1,
    lsgan,
    random_color_shift,
    structure,
    superpixel_colors,
    surface,
    total_variation,
)
from sakuga.networks.whitebox import Filtered, WhiteBoxDiscriminator, WhiteBoxGenerator
from sakuga.systems.artefact import Artefact, translation
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, MoreThan, Weight
from sakuga.systems.parts.content import Backbone, ContentFeatures
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig, load_sides

CODE = 32 * 32 * 512
"""The official code divides a mean over VGG's features once more by their number, and that of the pixels' by theirs."""


@dataclass
class WhiteBoxConfig(UnpairedConfig):
    """What `sakuga train whitebox` can be told; the official code's values, whose results were published."""

    load: int = 256
    batch: int = 16
    lr: float = 2e-4
    steps: int = 150_000
    warmup: Annotated[int, AtLeast(0)] = 50_000
    """Steps at the beginning in which G learns to repeat the photo."""
    surface: Weight = 0.1
    """Weight of the adversarial term on guided-filtered pictures."""
    texture: Weight = 1.0
    """Weight of the adversarial term on randomly shifted grey pictures."""
    structure: Weight = 200 / CODE
    """Weight of the distance to the output's superpixels."""
    content: Weight = 200 / CODE
    """Weight of the distance to the photo's features."""
    smooth: Weight = 1e4 / (3 * 256 * 256)
    """Weight of the total variation."""
    segments: Literal["photo", "output"] = "photo"
    """Whose superpixels recolour the output: the photo's, computed once and kept, or, as published, the output's, which
    makes every step wait for them."""
    cache: Path = Path("runs/segments")
    """Where the photos' superpixels are kept."""
    shift: Literal["code", "paper"] = "code"
    """Form of the random colour shift."""
    filter_eps: Annotated[float, MoreThan(0)] = 1e-2
    """ε of the guided filter in training; the finished style uses half of it, as published."""
    blocks: Annotated[int, AtLeast(0)] = 4
    """Residual blocks of G."""
    width: Annotated[int, AtLeast(2)] = 32
    """Channels of every network's first layer."""
    features: Backbone = "vgg19"
    """Network of structure and content."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""


class WhiteBox(Unpaired):
    """Two discriminators on two representations, structure and content by VGG, and the photo's edges by a filter.

    With O = guided_filter(p, G(p)): L_G = λ₁ (D_s(F_s(O)) - 1)² + λ₂ (D_t(F_t(O)) - 1)² + λ₃ |φ(O) - φ(F_st(O))|
    + λ₄ |φ(O) - φ(p)| + λ₅ TV(O), where F_s smooths the surface, F_t takes the colour away at random, the same for
    cartoon and output, and F_st paints superpixels in their mean colour; for both, L_D = ½ ((D(F(c)) - 1)² + D(F(O))²).
    First G alone learns to repeat the photo. Least squares are the official code's, where the paper has logarithms; φ
    is conv4_4 of VGG-19 before the activation, where the paper has VGG-16. D learns from the output and the colour
    shift of G's step; the code makes both anew with the G that has moved. Not here: the paper's adaptive colouring
    of segments, which the code leaves off, and its batches of faces, every fifth: name folders of both in `photos`
    and in `style`.

    Source: Wang, Yu, "Learning to Cartoonize Using White-box Cartoon Representations", CVPR 2020, equations 2 to 9.
    Weights as in the official code, converted to plain means (see `losses.structure`); preset `paper` has the paper's.
    """

    name = "whitebox"
    betas = (0.5, 0.99)
    players = {  # noqa: RUF012
        "warmup": ["generator"],
        "G": ["generator"],
        "D": ["discriminator_surface", "discriminator_texture"],
    }
    presets = {  # noqa: RUF012
        "paper": {
            "surface": 1.0,
            "texture": 10.0,
            "structure": 2000 / CODE,
            "content": 2000 / CODE,
            "shift": "paper",
            "segments": "output",
        }
    }
    Config = WhiteBoxConfig

    def __init__(self, config: WhiteBoxConfig):
        super().__init__(config)
        self.generator = WhiteBoxGenerator(width=config.width, blocks=config.blocks)
        self.discriminator_surface = WhiteBoxDiscriminator(3, width=config.width)
        self.discriminator_texture = WhiteBoxDiscriminator(1, width=config.width)
        self.features: ContentFeatures | None = None

    def prepare(self) -> None:
        """Load the feature network."""
        self.features = ContentFeatures(self.config.features, weights=self.config.features_weights)

    def data(self) -> Dataset:
        """Crops of either side, and the photos' superpixels unless they are those of the output."""
        c = self.config
        photos, style = load_sides(c)
        columns: dict[str, Column] = {"photo": photos}
        if c.segments == "photo":
            columns["segments"] = Segments(photos, c.cache)
        return Dataset(columns, c) | Dataset({"style": style}, c)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """G, then both discriminators on the same output."""
        c, photo = self.config, batch["photo"]
        stylized = self.generator(photo)
        if t < c.warmup:
            yield "warmup", {"photo": l1(stylized, photo)}
            return
        assert self.features is not None
        output = guided_filter(photo, stylized, radius=1, eps=c.filter_eps)
        gray, gray_cartoon = random_color_shift(output, batch["style"], form=c.shift)
        smooth = surface(output)
        segments = batch["segments"] if "segments" in batch else _segments(output)
        with torch.no_grad():
            both = self.features(torch.cat([superpixel_colors(output, segments), photo]))
        flat, target = ({k: v.chunk(2)[i] for k, v in both.items()} for i in (0, 1))
        features = self.features(output)
        with frozen(self.discriminator_surface, self.discriminator_texture):
            terms = {
                "surface": c.surface * lsgan.g(self.discriminator_surface(self.augment(smooth))),
                "texture": c.texture * lsgan.g(self.discriminator_texture(self.augment(gray))),
            }
        terms |= {
            "structure": c.structure * structure(features, flat),
            "content": c.content * content(features, target),
            "smooth": c.smooth * total_variation(output),
        }
        yield "G", terms

        pairs = {
            "surface": (self.discriminator_surface, surface(batch["style"]), smooth.detach()),
            "texture": (self.discriminator_texture, gray_cartoon, gray.detach()),
        }
        yield (
            "D",
            {
                name: lsgan.d(*forward_concatenated(discriminator, self.augment(real), self.augment(fake))) / 2
                for name, (discriminator, real, fake) in pairs.items()
            },
        )

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator and its guided filter."""
        return translation(Filtered(self.generator, eps=self.config.filter_eps / 2))


def _segments(output: Tensor) -> Tensor:
    return torch.from_numpy(each(superpixels, to_uint8(output))).to(output.device)
