"""StarGAN v2: domains in many styles, from noise or from a reference picture (Choi, Uh, Yoo, Ha, CVPR 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.errors import UsageError
from sakuga.losses import bce, diversity_sensitive, l1, r1, style_reconstruction
from sakuga.networks.starganv2 import MappingNetwork, StarGANv2Discriminator, StarGANv2Generator, StyleEncoder
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Terms, Update, frozen
from sakuga.systems.fields import AtLeast, Count, Weight
from sakuga.systems.parts.labelled import LabelledConfig, examples, read_domains, read_squares
from sakuga.systems.parts.references import Partners, Translator, domain_preview, masks_of, view


@dataclass
class StarGANv2Config(LabelledConfig):
    """What `sakuga train starganv2` can be told; rates and weights are the official code's."""

    labels: str = "folders"
    """`folders` where the photos of each domain lie in a folder of its name, or a table, FILE.csv, with a line for each
    photo: its file and its domain."""
    domains: tuple[str, ...] = ()
    """Names of the domains, found in the labels."""
    crop: int = 128
    """Side of the pictures, a power of two."""
    batch: Count = 8
    """Fewer than eight are known to make the training unstable."""
    lr: Weight = 1e-4
    """Learning rate of all players but the mapping network."""
    lr_mapping: Weight = 1e-6
    """That of the mapping network."""
    steps: Count = 50_000
    style: Weight = 1.0
    """Weight of finding the style in the result, λ_sty."""
    diversity: Weight = 1.0
    """Weight of the distance of two results at the start, λ_ds; it falls to 0 along a straight line."""
    cycle: Weight = 1.0
    """Weight of the way back, λ_cyc."""
    penalty: Weight = 1.0
    """Weight of the gradient penalty on reals, λ_reg."""
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


class StarGANv2(System):
    """A generator that is told a style s, a mapping network that makes styles of noise, an encoder that sees them.

    L_D = -log D_y'(x) - log(1 - D_y(G(x, s))) + λ_reg R1,
    L_G = -log D_y(G(x, s)) + λ_sty ‖s - E_y(G(x, s))‖₁ - λ_ds ‖G(x, s) - sg G(x, s₂)‖₁ +
    λ_cyc ‖x - G(G(x, s), E_y'(x))‖₁,
    with s = F_y(z) and then s = E_y(reference); a step is four updates: D for either, G, F and E for the first, G alone
    for the second.

    `heat_maps`, a module that makes 98 heat maps (N, 98, h, w) in [0, 1] of pictures (N, 3, H, W), is set in Python
    where the config has a `high_pass`; see `sakuga.networks.starganv2.face_masks`.

    Source: Choi et al., "StarGAN v2: Diverse Image Synthesis for Multiple Domains", CVPR 2020, equations 1 to 6, and
    the official code for what the paper leaves open: the stopped gradient sg, R1's ½, and who moves when.
    """

    name = "starganv2"
    players = {"D": ["discriminator"], "G": ["generator"], "F": ["mapping"], "E": ["style_encoder"]}  # noqa: RUF012
    averaged = ("generator", "mapping", "style_encoder")
    presets = {  # noqa: RUF012
        "afhq": {"crop": 256, "steps": 100_000, "diversity": 2.0},
        "celeba_hq": {"crop": 256, "steps": 100_000, "diversity": 1.0},
    }
    Config = StarGANv2Config
    config: StarGANv2Config

    def __init__(self, config: StarGANv2Config):
        super().__init__(config)
        c = config
        if c.crop < 32 or c.crop & (c.crop - 1):
            raise UsageError(f"--crop {c.crop} must be a power of two from 32 on")
        c.domains = c.domains or read_domains(c, self.name).names
        size = {"width": c.width or 2**14 // c.crop, "most": c.most}
        self.heat_maps: nn.Module | None = None
        self.generator = StarGANv2Generator(c.crop, c.numbers, high_pass=c.high_pass, **size)
        count, style = len(c.domains), c.numbers
        self.mapping = MappingNetwork(count, noise=c.noise, style=style, hidden=c.hidden)
        self.style_encoder = StyleEncoder(count, side=c.crop, style=style, **size)
        self.discriminator = StarGANv2Discriminator(count, side=c.crop, **size)

    def prepare(self) -> None:
        """Refuse to let high frequencies pass where nothing says of which places."""
        if self.config.high_pass and self.heat_maps is None:
            raise UsageError("--high-pass needs a network of landmarks: set `heat_maps` in Python, or leave it out")

    def data(self) -> Dataset:
        """Photos with their domains, two references of one domain, and two noises; every domain as likely."""
        c, photos, labels = self.config, read_squares(self.config), read_domains(self.config, self.name)
        others = Partners(photos, labels, c.seed)
        references = {"reference": view(photos), "reference2": view(others), "target": labels}
        sources = Dataset({"photo": view(photos), "domain": labels}, c, draw="class")
        return sources | Dataset(references, c, draw="class") | Dataset({"z": Noise(c.noise), "z2": Noise(c.noise)}, c)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """The discriminator twice, all else, the generator alone."""
        b, target = batch, batch["target"]
        for code, source in ((self.mapping, "z"), (self.style_encoder, "reference")):
            with torch.no_grad():
                fake = self.translate(b["photo"], code(b[source], target))
            real = b["photo"].detach().requires_grad_()
            scores = self.discriminator(real, b["domain"])
            terms = {"adversarial": bce.d(scores, self.discriminator(fake, target))}
            yield "D", terms | {"penalty": self.config.penalty * r1(scores, real)}

        codes = self.mapping(b["z"], target), self.mapping(b["z2"], target)
        with frozen(self.discriminator):
            terms = self._generate(b, codes, t)
        yield ("G", "F", "E"), terms

        with torch.no_grad():
            codes = self.style_encoder(b["reference"], target), self.style_encoder(b["reference2"], target)
        with frozen(self.discriminator, self.style_encoder):
            terms = self._generate(b, codes, t)
        yield "G", terms

    def translate(self, image: Tensor, style: Tensor) -> Tensor:
        """G(x, s), with the masks of x where there are heat maps."""
        result: Tensor = self.generator(image, style, masks_of(image, self.heat_maps))
        return result

    def _generate(self, b: Batch, codes: tuple[Tensor, Tensor], t: int) -> Terms:
        c, x, target = self.config, b["photo"], b["target"]
        fake = self.translate(x, codes[0])
        with torch.no_grad():
            other = self.translate(x, codes[1])
        back = self.translate(fake, self.style_encoder(x, b["domain"]))
        return {
            "adversarial": bce.g(self.discriminator(fake, target)),
            "style": c.style * style_reconstruction(codes[0], self.style_encoder(fake, target)),
            "diversity": -c.diversity * max(0.0, 1 - t / c.steps) * diversity_sensitive(fake, other),
            "cycle": c.cycle * l1(back, x),
        }

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam without first moments, with a little weight decay added to gradients, slower for the mapping network."""
        rates = {p: self.config.lr_mapping if p == "F" else self.config.lr for p in self.players}
        betas = (0.0, 0.99)
        return {p: torch.optim.Adam(self.weights(p), lr, betas=betas, weight_decay=1e-4) for p, lr in rates.items()}

    def decay(self, t: int) -> float:
        """As published, the same from the first step on."""
        return self.config.ema

    def artefact(self, network: str | None = None) -> Artefact:
        """All that users run, for squares of the crop's side: a domain, and a reference or the seed of a style."""
        c = self.config
        domain, reference = Input("domain", "choice", names=c.domains), Input("reference", "picture", default="")
        inputs = PICTURE, domain, reference, Input("z", "noise", size=c.noise)
        module = Translator(self.generator, self.mapping, self.style_encoder, self.heat_maps)
        return Artefact(module, inputs, size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Four photos in two styles of each domain, and pictures of all domains for KID."""
        c, photos = self.config, self.dataset["photo"].columns[0]  # type: ignore[attr-defined]
        return domain_preview(examples(photos, 4, c.crop), c.domains, c.noise, examples(photos, 64, c.crop))
