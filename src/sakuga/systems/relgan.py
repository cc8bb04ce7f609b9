"""RelGAN: changes of attributes, not attributes, are what a generator is told (Wu, Lin, Chang, Chang, ICCV 2019)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.losses import gradient_penalty, interpolation, l1, lsgan, matching, orthogonal, wrong_triplets
from sakuga.networks.layers import kernels
from sakuga.networks.relgan import RelGANDiscriminator
from sakuga.networks.stargan import StarGANGenerator
from sakuga.style.inputs import PICTURE
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Terms, frozen
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.celeba import FIVE, NINE, SEVENTEEN
from sakuga.systems.parts.editing import EditingConfig, Sliders, check_layers, slider_inputs, slider_preview
from sakuga.systems.parts.labelled import examples, read_attributes, read_squares


@dataclass
class RelGANConfig(EditingConfig):
    """What `sakuga train relgan` can be told; rates and weights are the official code's."""

    batch: Count = 4
    lr: Weight = 5e-5
    steps: Count = 100_000
    match: Weight = 1.0
    """Weight of whether the change is the one asked for, λ₁."""
    interpolation: Weight = 10.0
    """Weight of the degree of interpolation, λ₂."""
    cycle: Weight = 10.0
    """Weight of the way back, λ₃."""
    same: Weight = 10.0
    """Weight of a change by nothing, λ₄."""
    orthogonal: Weight = 1e-6
    """Weight of the generator's orthogonal regularisation, λ₅."""
    penalty: Weight = 150.0
    """Weight of the gradient penalty."""


class RelGAN(System):
    """G(x, v) changes x by the relative attributes v = a' - a, by degrees: αv is a part of the way.

    L_D = L_real + λ₁ L_match + λ₂ L_interp + 150 GP,
    L_G = L_real + λ₁ L_match + λ₂ L_interp + λ₃ ‖G(G(x, v), -v) - x‖₁ + λ₄ ‖G(x, 0) - x‖₁ + λ₅ L_ortho;
    see `sakuga.losses.relative` for the triplets (x, v, x') and the degrees.

    Source: Wu et al., "RelGAN: Multi-Domain Image-to-Image Translation via Relative Attributes", ICCV 2019, equations 1
    to 11. All heads are trained by least squares, and the penalty is taken between source and result, as in both codes;
    the paper writes logarithms for two of them. Weights are the official code's, but for λ₅, which is the paper's: the
    code's regulariser has no effect. The second author's code counts v from target to source, here as in the first's.
    """

    name = "relgan"
    betas = (0.5, 0.999)
    players = {"D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    averaged = ()
    presets = {  # noqa: RUF012
        "celeba_hq": {"attributes": SEVENTEEN, "crop": 256, "steps": 400_000},
        "celeba_hq_9": {"attributes": NINE, "crop": 256, "steps": 400_000},
        "celeba_hq_5": {"attributes": FIVE, "crop": 256, "steps": 400_000},
    }
    Config = RelGANConfig
    config: RelGANConfig

    def __init__(self, config: RelGANConfig):
        super().__init__(config)
        c = config
        c.attributes = c.attributes or read_attributes(c, self.name).names
        check_layers(c)
        self.inputs = slider_inputs(c.attributes)
        self.generator = StarGANGenerator(len(c.attributes), width=c.width, blocks=c.blocks, norm="switch")
        self.discriminator = RelGANDiscriminator(len(c.attributes), width=c.width, layers=c.layers)

    def data(self) -> Dataset:
        """Three photos with their labels, drawn apart, and how far on the way between the first two."""
        c = self.config
        photos, labels = read_squares(c), read_attributes(c, self.name, c.attributes)
        draws = [Dataset({p: photos, f"label_{p}": labels}, c, draw="picture") for p in ("a", "b", "c")]
        chance = Dataset({"alpha": Noise(uniform=True), "mix": Noise(uniform=True)}, c)
        return draws[0] | draws[1] | draws[2] | chance

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The discriminator, then the generator on the same fakes."""
        c, images, labels = self.config, [batch[p] for p in "abc"], [batch[f"label_{p}"] for p in "abc"]
        x, v = images[0], labels[1] - labels[0]
        alpha, mix = batch["alpha"].to(x.dtype), batch["mix"].to(x.dtype)
        fake, part, same = (self.generator(x, u) for u in (v, alpha[:, None] * v, 0 * v))

        (_, _, f_a), (real, _, f_b), (_, _, f_c) = (self.discriminator(image) for image in images)
        shown = [self.discriminator(image.detach()) for image in (fake, part, same)]
        (score, end, features), (_, degree, _), (_, start, _) = shown
        match = self.discriminator.match
        wrong = wrong_triplets((f_a, f_b, f_c), (labels[0], labels[1], labels[2]))
        lies = [match(*triplet) for triplet in wrong]
        penalty = gradient_penalty(lambda image: self.discriminator(image)[0], x, fake.detach().to(x.dtype), mix=mix)
        yield (
            "D",
            {
                "real": lsgan.d(real, score),
                "match": c.match * matching.d(match(f_a, v, f_b), match(f_a, v, features), lies),
                "interpolation": c.interpolation * interpolation.d(degree, alpha, start, end),
                "penalty": c.penalty * penalty,
            },
        )

        with frozen(self.discriminator):
            with torch.no_grad():
                f_a = self.discriminator(x)[2]
            score, _, features = self.discriminator(fake)
            degree = self.discriminator(part)[1]
            matched = match(f_a, v, features)
        yield (
            "G",
            {
                "real": lsgan.g(score),
                "match": c.match * matching.g(matched),
                "interpolation": c.interpolation * interpolation.g(degree),
                "cycle": c.cycle * l1(self.generator(fake, -v), x),
                "same": c.same * l1(same, x),
                "orthogonal": c.orthogonal * torch.stack([orthogonal(w) for w in kernels(self.generator)]).sum(),
            },
        )

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator, for squares of the crop's side, with a number from -1 to 1 for each attribute."""
        return Artefact(Sliders(self.generator), (PICTURE, *self.inputs), size=(self.config.crop, self.config.crop))

    def preview(self) -> Preview:
        """Four photos, and what becomes of them by one attribute at a time, more and less; all photos' kind for KID."""
        photos, side = self.dataset.pictures("a"), self.config.crop
        return slider_preview(examples(photos, 4, side), self.inputs, examples(photos, 64, side))
