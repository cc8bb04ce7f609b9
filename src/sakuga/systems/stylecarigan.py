"""StyleCariGAN: caricatures from two StyleGANs and blocks that exaggerate between them (Jang et al., 2021)."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.errors import UsageError
from sakuga.losses import attribute_matching, bce, l2, r1
from sakuga.networks.equalised import widths
from sakuga.networks.resnet18 import ResNet18
from sakuga.networks.stylecarigan import (
    SIDES,
    Caricaturist,
    FeatureDiscriminator,
    Made,
    StyleCariGenerator,
    coarse_levels,
)
from sakuga.networks.stylegan2 import StyleGAN2Discriminator, mixed
from sakuga.style.inputs import Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.autotoon import EXAGGERATION
from sakuga.systems.base import Batch, Config, Preview, System, Update, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, Role, Weight
from sakuga.systems.parts.noise import SHOWN
from sakuga.systems.parts.styles import half_life, lazy_adam, mixing_cut, style_inputs
from sakuga.systems.parts.trained import give, read_classifier, read_run

OTHER = dict(zip(SIDES, SIDES[::-1], strict=True))


@dataclass
class StyleCariGANConfig(Config):
    """What `sakuga train stylecarigan` can be told; the official code's values."""

    photos: Annotated[tuple[Path, ...], Role("photos")] = ()
    """Not needed: what is real are samples of the two generators."""
    photo_run: Annotated[Path | None, Role("photos", of="name")] = None
    """Run of `stylegan2` on photos of faces."""
    caricature_run: Annotated[Path | None, Role("caricatures", of="name")] = None
    """Run of `stylegan2` on caricatures, best begun with the photos' (`--init`); of the same sizes."""
    photo_attributes: Path | None = None
    """Run of `cam_classifier` on attributes of photos; without both of these attributes are not held."""
    caricature_attributes: Path | None = None
    """The same of caricatures, of the same attributes in the same order."""
    identity: Path | None = None
    """Run of `cam_classifier` that tells people apart, whose features are kept; without it they are not."""
    batch: Count = 16
    lr: Weight = 2e-3
    steps: Count = 1_000
    adversarial: Weight = 10.0
    """Weight of the discriminators of pictures."""
    features: Weight = 2.0
    """Weight of those of the largest coarse features; the official code adds this term twice."""
    cycle: Weight = 10.0
    """Weight of the way back of features at every coarse size."""
    attributes: Weight = 10.0
    """Weight of attribute matching."""
    recognition: Weight = 1e4
    """Weight of the identity after the way there and back."""
    penalty: Weight = 10.0
    """γ of R1."""
    penalty_every: Count = 16
    """Steps from one R1 to the next."""
    mixing: Annotated[float, AtLeast(0), AtMost(1)] = 0.9
    """Share of the samples whose later layers take the style of another noise."""
    noise: Annotated[int, AtLeast(0)] = 0
    """This and the next: sizes of the two generators; found in --photo-run, as --crop is."""
    width: Annotated[int, AtLeast(0)] = 0
    widest: Annotated[int, AtLeast(0)] = 0
    layers: Annotated[int, AtLeast(0)] = 0


class StyleCariGAN(System):
    """Two frozen StyleGAN2 generators; blocks after their coarse layers make of a photo's features a caricature's.

    Of either direction, averaged: 10 L_adv + 2 L_adv,feat + 10 Σ mean (x - B(A(x)))² + 10 L_attr + 10⁴ L_id. A is the
    block of a size, B that of the way back, L_attr the cross-entropy of the caricature's attributes with the photo's,
    L_id, of photos alone, the squared distance of the embeddings of a sample and of what A and B make of it at all
    sizes. Real are samples of the generators.

    Source: Jang, Ju, Jung, Yang, Tong, Lee, "StyleCariGAN: Caricature Generation via StyleGAN Feature Map Modulation",
    SIGGRAPH 2021, and its official code. Here the layers' noise is their fixed one, G and D share their samples, and
    the networks of attributes and identity are runs of `cam_classifier`.
    """

    name = "stylecarigan"
    players = {  # noqa: RUF012
        "D": [f"discriminator_{side}{kind}" for side in SIDES for kind in ("", "_features")],
        "G": ["generator"],
    }
    averaged = ("generator",)
    channels_last = False
    Config = StyleCariGANConfig
    config: StyleCariGANConfig

    def __init__(self, config: StyleCariGANConfig):
        super().__init__(config)
        c = config
        if not c.noise:
            found = self._run("photo")["config"]
            c.crop, c.noise, c.width, c.widest, c.layers = (
                found[name] for name in ("crop", "noise", "width", "widest", "layers")
            )
        self.generator = StyleCariGenerator(c.noise, side=c.crop, width=c.width, widest=c.widest, layers=c.layers)
        levels = coarse_levels(c.crop)
        channels = widths(c.crop, c.width, c.widest)[levels - 1]
        for side in SIDES:
            whole = StyleGAN2Discriminator(side=c.crop, width=c.width, widest=c.widest)
            self.add_module(f"discriminator_{side}", whole)
            self.add_module(
                f"discriminator_{side}_features", FeatureDiscriminator(2 ** (levels + 1), channels, c.widest)
            )
        self.attributes: nn.ModuleDict | None = None
        self.identity: ResNet18 | None = None

    def _run(self, side: str) -> dict[str, Any]:
        run: Path | None = getattr(self.config, f"{side}_run")
        if run is None:
            raise UsageError(f"--{side}-run is missing: name a run of `sakuga train stylegan2` on {side}s")
        return read_run(run, f"--{side}-run", "stylegan2")

    def prepare(self) -> None:
        """Load both generators, their discriminators, and the classifiers where there are any."""
        c = self.config
        for side in SIDES:
            state, run, option = self._run(side), getattr(c, f"{side}_run"), f"--{side}-run"
            give(self.generator.of(side), state["finished"]["generator"], run, option)
            if "discriminator" in state.get("networks", {}):
                give(self.get_submodule(f"discriminator_{side}"), state["networks"]["discriminator"], run, option)
        if c.photo_attributes and c.caricature_attributes:
            photo, names = read_classifier(c.photo_attributes, "--photo-attributes")
            caricature, others = read_classifier(c.caricature_attributes, "--caricature-attributes")
            if names != others:
                raise UsageError(
                    "--photo-attributes and --caricature-attributes have different attributes: train alike"
                )
            self.attributes = nn.ModuleDict({"photo": photo, "caricature": caricature})
        if c.identity:
            self.identity = read_classifier(c.identity, "--identity")[0]
        for missing, name in ((self.attributes, "attributes"), (self.identity, "identity")):
            if missing is None:
                warnings.warn(f"no run of cam_classifier for {name}: caricatures are not held to them", stacklevel=2)

    def data(self) -> Dataset:
        """Noises alone: of each side two, where to cut between them, and one of the other's fine layers."""
        size = self.config.noise
        columns = {f"{name}_{side}": Noise(size) for name in ("noise", "other", "fine") for side in SIDES}
        return Dataset(columns | {f"cut_{side}": Noise(2, uniform=True) for side in SIDES}, self.config)

    def sample(self, batch: Batch, side: str) -> tuple[Tensor, Tensor]:
        """Latents of a side, and those that the other side's fine layers take."""
        own, other = self.generator.of(side), self.generator.of(OTHER[side])
        count = own.synthesis.count
        cut = mixing_cut(batch[f"cut_{side}"], count, self.config.mixing)
        with torch.no_grad():
            w = mixed(own.mapping, count, batch[f"noise_{side}"], batch[f"other_{side}"], cut)
            return w, mixed(other.mapping, count, batch[f"fine_{side}"], None, None)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """The discriminators, their regularisation, and the blocks."""
        c, codes = self.config, {side: self.sample(batch, side) for side in SIDES}
        with torch.no_grad():
            own = {side: self.generator(side, w, way="stay") for side, (w, _) in codes.items()}
        made = {OTHER[side]: self.generator(side, w, fine) for side, (w, fine) in codes.items()}  # by what they become
        scored = {}
        for side in SIDES:
            scored[side] = (own[side].image, made[side].image)
            scored[f"{side}_features"] = (own[side].before[-1], made[side].after[-1])
        discriminators = {name: self.get_submodule(f"discriminator_{name}") for name in scored}
        yield "D", {name: bce.d(d(scored[name][0]), d(scored[name][1].detach())) for name, d in discriminators.items()}
        if c.penalty and t % c.penalty_every == 0:
            terms = {}
            for name, discriminator in discriminators.items():
                seen = scored[name][0].detach().requires_grad_()
                terms[f"r1_{name}"] = c.penalty * c.penalty_every * r1(discriminator(seen), seen)
            yield "D", terms

        with frozen(*discriminators.values()):
            fooled = {name: bce.g(d(scored[name][1])) for name, d in discriminators.items()}
        terms = {
            "adversarial": c.adversarial * (fooled["photo"] + fooled["caricature"]) / 2,
            "features": c.features * (fooled["photo_features"] + fooled["caricature_features"]) / 2,
            "cycle": c.cycle * torch.stack([self._back(side, made[OTHER[side]]) for side in SIDES]).mean(),
        }
        if self.attributes is not None:
            of = self.attributes
            got, had = ({side: of[side](one[side].image).logits for side in SIDES} for one in (made, own))
            asked = torch.stack([attribute_matching(got[OTHER[side]], had[side]) for side in SIDES])
            terms["attributes"] = c.attributes * asked.mean()
        if self.identity is not None:
            again = self.generator("photo", codes["photo"][0], way="back").image
            known, found = (self.identity(image).features.mean((2, 3)) for image in (own["photo"].image, again))
            terms["recognition"] = c.recognition * (found - known).square().mean()
        yield "G", terms

    def _back(self, side: str, made: Made) -> Tensor:
        """How far features of a side are from what the way back makes of their exaggeration, summed over the sizes."""
        ways = enumerate(zip(made.before, made.after, strict=True))
        return torch.stack([l2(self.generator.block(OTHER[side], level)(y), x) for level, (x, y) in ways]).sum()

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β = (0, 0.99), of D adapted to the steps that its regularisation has of its own."""
        c = self.config
        every = {"D": c.penalty_every if c.penalty else 0, "G": 0}
        return {player: lazy_adam(self.weights(player), c.lr, every[player]) for player in self.players}

    def decay(self, t: int) -> float:
        """As published for batches of 32; early steps count for more."""
        return half_life(32, t)

    def artefact(self, network: str | None = None) -> Artefact:
        """Noise to caricatures: a face, the colours it is painted in, and how far it is exaggerated."""
        c = self.config
        noise, truncation = style_inputs(c.noise)
        inputs = (noise, Input("colors", "noise", size=c.noise), EXAGGERATION, truncation)
        return Artefact(Caricaturist(self.generator), inputs, size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Sixty-four caricatures."""
        rng = torch.Generator().manual_seed(0)
        noises = {name: torch.randn(SHOWN, self.config.noise, generator=rng) for name in ("noise", "colors")}
        return Preview(noises | {"exaggeration": torch.ones(SHOWN), "truncation": torch.ones(SHOWN)})
