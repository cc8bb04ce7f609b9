"""StarGAN v2: domains in many styles, from noise or from a reference picture (Choi, Uh, Yoo, Ha, CVPR 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.errors import UsageError
from sakuga.losses import bce, diversity_sensitive, l1, r1, style_reconstruction
from sakuga.networks.starganv2 import MappingNetwork, StarGANv2Discriminator, StarGANv2Generator, StyleEncoder
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Terms, Update, frozen
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.domains import DomainsConfig, Translator, channels_of, domain_inputs, domain_preview, masks_of
from sakuga.systems.parts.labelled import read_domains, read_squares
from sakuga.systems.parts.references import two_references, view


@dataclass
class StarGANv2Config(DomainsConfig):
    """What `sakuga train starganv2` can be told; rates and weights are the official code's."""

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


class StarGANv2(System):
    """A generator that is told a style s, a mapping network that makes styles of noise, an encoder that sees them.

    L_D = -log D_y'(x) - log(1 - D_y(G(x, s))) + λ_reg R1,
    L_G = -log D_y(G(x, s)) + λ_sty ‖s - E_y(G(x, s))‖₁ - λ_ds ‖G(x, s) - sg G(x, s₂)‖₁ +
    λ_cyc ‖x - G(G(x, s), E_y'(x))‖₁,
    with s = F_y(z) and then s = E_y(reference); a step is four updates: D for either, G, F and E for the first, G alone
    for the second.

    Where the config has a `high_pass`, `heat_maps` is set in Python: a module that makes of pictures (N, 3, H, W) the
    98 heat maps (N, 98, h, w) that `sakuga.networks.starganv2.face_masks` takes.

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
        c, size = config, channels_of(config)
        c.domains = c.domains or read_domains(c, self.name).names
        count, style = len(c.domains), c.numbers
        self.heat_maps: nn.Module | None = None
        self.generator = StarGANv2Generator(c.crop, style, high_pass=c.high_pass, **size)
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
        sources = Dataset({"photo": view(photos), "domain": labels}, c, draw="class")
        shown = Dataset(two_references(photos, labels, c.seed), c, draw="class")
        return sources | shown | Dataset({"z": Noise(c.noise), "z2": Noise(c.noise)}, c)

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
        module = Translator(self.generator, self.mapping, self.style_encoder, self.heat_maps)
        return Artefact(module, domain_inputs(c), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Four photos in two styles of each domain, and pictures of all domains for KID."""
        return domain_preview(self.dataset["photo"].columns[0], self.config)  # type: ignore[attr-defined]
