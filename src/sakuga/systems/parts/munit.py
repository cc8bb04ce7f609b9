"""MUNIT, which paints photos as others are painted: pictures of two sides as contents and styles (ECCV 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from sakuga.losses import content, l1, lsgan, style_reconstruction
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.munit import MUNITDecoder, MUNITDiscriminator, MUNITEncoder
from sakuga.systems.base import Update, frozen
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig

SIDES = ("photo", "style")
SCALES = 3
"""Sizes at which discriminators look; the official code sums over them."""
LAYER = "relu5_3"
"""Of VGG-19, by which a painted picture is compared with what it was made of."""


@dataclass
class MUNITConfig(UnpairedConfig):
    """Weights and sizes, the official code's but for `cycle` and `perceptual`, which it leaves at 0."""

    reconstruction: Weight = 10.0
    """Weight of each side's autoencoder."""
    codes: Weight = 1.0
    """Weight of finding contents and looks again in what was painted of them."""
    cycle: Weight = 10.0
    """Weight of the way back, λ_cyc."""
    perceptual: Weight = 1.0
    """Weight of keeping what VGG-19 sees in the photo; 0 needs no weights."""
    features_weights: str | None = None
    """VGG-19's weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""
    width: Count = 64
    """Channels of the first layer of the networks that paint."""
    look: Count = 8
    """Numbers of a look, as a picture's style is called here."""


class MUNIT(Unpaired):
    """Two autoencoders of content c and style s, and translations d_y(c(x), s) with s of noise.

    λ_x ‖d(c(x), s(x)) - x‖₁ + λ_c (‖c(d_y(c(x), s)) - c(x)‖₁ + ‖s(d_y(c(x), s)) - s‖₁) + λ_cyc ‖d_x(c(d_y(c(x), s)),
    s(x)) - x‖₁ + LSGAN at three sizes + λ_per |φ(d_y(c(x), s)) - φ(x)|, and the same of the other side.

    Source: Huang, Liu, Belongie, Kautz, "Multimodal Unsupervised Image-to-Image Translation", ECCV 2018, equations 1 to
    5 and appendix B.1.
    """

    players = {  # noqa: RUF012
        "G": ["encoder_photo", "encoder_style", "decoder_photo", "decoder_style"],
        "D": ["discriminator_photo", "discriminator_style"],
    }
    averaged = ()
    Config: ClassVar[type[Any]] = MUNITConfig

    def __init__(self, config: Any):
        super().__init__(config)
        for side in SIDES:
            self.add_module(f"encoder_{side}", MUNITEncoder(width=config.width, style=config.look))
            self.add_module(f"decoder_{side}", MUNITDecoder(width=config.width, style=config.look))
            self.add_module(f"discriminator_{side}", MUNITDiscriminator(width=config.width, scales=SCALES))
        self.features: FeatureNetwork | None = None

    def prepare(self) -> None:
        """Load VGG-19, if it is needed."""
        if self.config.perceptual:
            self.features = FeatureNetwork("vgg19", (LAYER,), weights=self.config.features_weights)

    def network(self, kind: str, side: str) -> nn.Module:
        """The encoder, decoder or discriminator of a side."""
        return self.get_submodule(f"{kind}_{side}")

    def paint(self, pictures: dict[str, Tensor], looks: dict[str, Tensor]) -> Iterator[Update]:
        """One step of the autoencoders, then of the discriminators; pictures and looks by their sides."""
        c, other = self.config, dict(zip(SIDES, SIDES[::-1], strict=True))
        coded = {side: self.network("encoder", side)(pictures[side]) for side in SIDES}
        made = {side: self.network("decoder", side)(coded[other[side]].content, looks[side]) for side in SIDES}
        again = {side: self.network("encoder", side)(made[side]) for side in SIDES}
        sums: dict[str, list[Tensor]] = {}
        for side, own in coded.items():
            there, decoder, image = again[other[side]], self.network("decoder", side), pictures[side]
            discriminator = self.network("discriminator", side)
            with frozen(discriminator):
                fooled = lsgan.g(discriminator(self.augment(made[side])))
            terms = {
                "reconstruction": c.reconstruction * l1(decoder(own.content, own.style), image),
                "content": c.codes * l1(there.content, own.content),
                "look": c.codes * style_reconstruction(looks[side], again[side].style),
                "cycle": c.cycle * l1(decoder(there.content, own.style), image),
                "adversarial": SCALES * fooled,
            }
            if self.features is not None:
                terms["perceptual"] = c.perceptual * content(self.features(made[other[side]]), self.features(image))
            for name, term in terms.items():
                sums.setdefault(name, []).append(term)
        yield "G", {name: torch.stack(both).sum() for name, both in sums.items()}

        fakes = {side: fake.detach() for side, fake in made.items()}
        yield "D", {side: SCALES * self._told_apart(side, pictures[side], fakes[side]) for side in SIDES}

    def _told_apart(self, side: str, real: Tensor, fake: Tensor) -> Tensor:
        discriminator = self.network("discriminator", side)
        return lsgan.d(discriminator(self.augment(real)), discriminator(self.augment(fake)))
