"""StarGAN: many attributes or domains, one generator (Choi, Choi, Kim, Ha, Kim, Choo, CVPR 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.losses import domain_classification, gradient_penalty, l1, wgan
from sakuga.networks.stargan import StarGANDiscriminator, StarGANGenerator
from sakuga.style.inputs import PICTURE
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Terms, frozen
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.celeba import FIVE
from sakuga.systems.parts.editing import EditingConfig, Editor, check_layers, editor_inputs, editor_preview
from sakuga.systems.parts.labelled import examples, exclusive, read_labels, read_squares
from sakuga.systems.parts.schedules import linear_decay


@dataclass
class StarGANConfig(EditingConfig):
    """What `sakuga train stargan` can be told; weights and rates are the paper's."""

    domains: tuple[str, ...] = ()
    """Names of the domains, where the photos have one each; found in the labels."""
    groups: tuple[str, ...] | None = None
    """Attributes of which one holds, each group as NAME=A,B,C. By default those that share their last word and never
    hold together, as black_hair and blond_hair."""
    batch: Count = 16
    lr: Weight = 1e-4
    steps: Count = 60_000
    """Steps of the discriminator; the rate falls in the second half."""
    critic: Count = 5
    """Steps of the discriminator for one of the generator."""
    classes: Weight = 1.0
    """Weight of the labels, λ_cls."""
    reconstruction: Weight = 10.0
    """Weight of the way back, λ_rec."""
    penalty: Weight = 10.0
    """Weight of the gradient penalty, λ_gp."""
    keep: bool = True
    """Let the finished style find by the discriminator's classifier what a photo has, so that what is not set stays;
    without it, what is not set is off, and the file is smaller by the discriminator."""


class StarGAN(System):
    """One generator for all attributes: G(x, c) makes of a picture x one with the labels c.

    L_D = E D(G(x, c)) - E D(x) + λ_gp GP + λ_cls L_cls(x, c'), L_G = -E D(G(x, c)) + λ_cls L_cls(G(x, c), c) +
    λ_rec ‖x - G(G(x, c), c')‖₁, where c' are the labels of x and c those of another picture; L_cls is the binary
    cross-entropy summed over attributes, or the cross-entropy of domains.

    Source: Choi et al., "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
    CVPR 2018, equations 2 to 6 and 8, which replaces 1; G moves in every fifth step, as in the official code. There c
    is a permutation of the batch's labels, here it is drawn apart.
    """

    name = "stargan"
    betas = (0.5, 0.999)
    players = {"D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    averaged = ()
    presets = {  # noqa: RUF012
        "celeba": {
            "attributes": FIVE,
            "groups": ("hair=Black_Hair,Blond_Hair,Brown_Hair",),
            "steps": 200_000,
        },
        "rafd": {"labels": "folders", "steps": 200_000},
    }
    Config = StarGANConfig
    config: StarGANConfig

    def __init__(self, config: StarGANConfig):
        super().__init__(config)
        c = config
        check_layers(c)
        if not c.domains and (not c.attributes or c.groups is None):
            labels = read_labels(c, names=c.attributes)
            if labels.classes is not None:
                c.domains, c.attributes, c.groups = labels.names, (), ()
            else:
                c.attributes, c.groups = labels.names, exclusive(labels) if c.groups is None else c.groups
        self.inputs, self.columns = editor_inputs(c.attributes, c.domains, c.groups or (), keep=c.keep)
        count = len(c.attributes) + len(c.domains)
        self.generator = StarGANGenerator(count, width=c.width, blocks=c.blocks)
        self.discriminator = StarGANDiscriminator(count, side=c.crop, width=c.width, layers=c.layers)

    def data(self) -> Dataset:
        """Photos with their labels, labels to be asked for, and where between real and fake the penalty is taken."""
        photos, labels = read_squares(self.config), read_labels(self.config, names=self.config.attributes)
        own = Dataset({"photo": photos, "label": labels, "mix": Noise(uniform=True)}, self.config, draw="picture")
        return own | Dataset({"target": labels}, self.config, draw="picture")

    def code(self, labels: Tensor) -> Tensor:
        """Labels as the generator takes them: attributes as they are, domains one-hot, (N, K)."""
        return labels if labels.is_floating_point() else F.one_hot(labels, len(self.config.domains)).float()

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The discriminator; in every fifth step the generator too, on the same fakes."""
        c, x, label, target = self.config, batch["photo"], batch["label"], batch["target"]
        turn = (t + 1) % c.critic == 0
        with torch.set_grad_enabled(turn):
            fake = self.generator(x, self.code(target))
        real, logits = self.discriminator(x)
        penalty = gradient_penalty(
            lambda mixed: self.discriminator(mixed)[0], x, fake.detach().to(x.dtype), mix=batch["mix"].to(x.dtype)
        )
        terms = {"adversarial": wgan.d(real, self.discriminator(fake.detach())[0])}
        terms["classes"] = c.classes * domain_classification(logits, label)
        yield "D", terms | {"penalty": c.penalty * penalty}
        if not turn:
            return
        with frozen(self.discriminator):
            score, logits = self.discriminator(fake)
        terms = {"adversarial": wgan.g(score), "classes": c.classes * domain_classification(logits, target)}
        yield "G", terms | {"reconstruction": c.reconstruction * l1(self.generator(fake, self.code(label)), x)}

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    @property
    def finished(self) -> dict[str, nn.Module]:
        """The generator, and the discriminator whose classifier finds what a photo has."""
        return super().finished | ({"discriminator": self.discriminator} if self.config.keep else {})

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator, for squares of the crop's side, with a choice for each attribute or group of them."""
        classifier = self.discriminator if self.config.keep else None
        editor = Editor(self.generator, classifier, self.columns, keep=self.config.keep and not self.config.domains)
        return Artefact(editor, (PICTURE, *self.inputs), size=(self.config.crop, self.config.crop))

    def preview(self) -> Preview:
        """Four photos, and what becomes of them by one change at a time; pictures of all labels for KID."""
        photos, side = self.dataset.pictures("photo"), self.config.crop
        return editor_preview(examples(photos, 4, side), self.inputs, examples(photos, 64, side))
