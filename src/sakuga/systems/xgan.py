"""XGAN: faces and cartoons through one embedding (Royer, Bousmalis, Gouws, Bertsch, Mosseri, Cole, Murphy, 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from sakuga.errors import UsageError
from sakuga.losses import bce, domain_adversarial, gradient_reversal, l2, semantic_consistency
from sakuga.networks import features
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.xgan import DomainClassifier, Translation, XGANDiscriminator, XGANGenerator
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Terms, frozen
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig

TEACHER = "conv5_3"
"""The layer of VGG-16 whose mean over the picture the embeddings are to tell."""


@dataclass
class XGANConfig(UnpairedConfig):
    """What `sakuga train xgan` can be told; sizes are the paper's, rate and batch usual ones: it states neither."""

    crop: int = 64
    load: Count = 64
    batch: Count = 32
    lr: Weight = 1e-4
    steps: Count = 100_000
    reconstruction: Weight = 1.0
    """Weight of each side's autoencoder."""
    domain: Weight = 1.0
    """Weight of the domain classifier, which embeddings deceive, ω_d."""
    semantic: Weight = 1.0
    """Weight of the embedding's being kept by a translation, ω_s."""
    adversarial: Weight = 1.0
    """Weight of the discriminators, ω_g."""
    teacher: Weight = 0.0
    """Weight of a teacher on the photos' side, ω_t: the embedding must tell what VGG-16 sees; 0 needs no weights."""
    features_weights: str | None = None
    """VGG-16's weights, for the teacher: a path, or `random:SEED`; by default what `sakuga download` fetched."""
    both: bool = False
    """Have a discriminator of photos too, for those who want the way back."""
    width: Count = 32
    """Channels of the generator's first layer; the discriminators' have half as many."""
    embedding: Count = 1024
    """Numbers that a face is told by."""


class XGAN(Unpaired):
    """Two autoencoders with a shared middle: what is said of a face is the same, however it is drawn.

    L_rec = E ‖x - d_A(e_A(x))‖², L_sem = E |e_A(x) - e_B(d_B(e_A(x)))|, both for either side; L_dann is the
    cross-entropy of a classifier that tells sides by embeddings, which these maximise through a reversed gradient;
    L_gan is of the discriminator of the style. Norms are averaged over pixels and numbers.

    Batch norms see each side by itself, which brings the sides' embeddings together; a finished style normalises by the
    averages of both, so that its colours are a little stronger. With both sides in one batch they were right, and in a
    short training nothing but the classifier brought the embeddings together: what a face had on was lost.

    Source: Royer et al., "XGAN: Unsupervised Image-to-Image Translation for Many-to-Many Mappings", 2017, equations 1
    to 6. The paper's weights are not known to us: all are 1. Its teacher is the last convolution of a face recogniser;
    here VGG-16, whose features a linear layer compares with the embedding (`teacher`).
    """

    name = "xgan"
    players = {  # noqa: RUF012
        "G": ["generator", "reader"],
        "D_domain": ["classifier"],
        "D": ["discriminator_style", "discriminator_photo"],
    }
    averaged = ("generator",)
    exportable = ("generator",)
    Config = XGANConfig

    def __init__(self, config: XGANConfig):
        super().__init__(config)
        c = config
        try:
            self.generator = XGANGenerator(width=c.width, embedding=c.embedding, side=c.crop)
        except ValueError as error:
            raise UsageError(f"--crop {c.crop} must be a multiple of 16") from error
        self.classifier = DomainClassifier(c.embedding)
        self.discriminator_style = XGANDiscriminator(width=max(1, c.width // 2), side=c.crop)
        self.players = {player: list(names) for player, names in type(self).players.items()}
        if c.both:
            self.discriminator_photo = XGANDiscriminator(width=max(1, c.width // 2), side=c.crop)
        else:
            self.players["D"].remove("discriminator_photo")
        if c.teacher:
            self.reader = nn.Linear(features.WIDTHS[-1], c.embedding)
        else:
            self.players["G"].remove("reader")
        self.features: FeatureNetwork | None = None

    def prepare(self) -> None:
        """Load the teacher, if there is one."""
        if self.config.teacher:
            self.features = FeatureNetwork("vgg16", (TEACHER,), weights=self.config.features_weights)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str | tuple[str, ...], Terms]]:
        """Generator and domain classifier on one loss, then the discriminators on the same fakes."""
        c, x, y = self.config, batch["photo"], batch["style"]
        of_x, of_y = self.generator(x, "photo"), self.generator(y, "style")
        fakes = {"style": (y, of_x.style)} | ({"photo": (x, of_y.photo)} if c.both else {})
        with frozen(*(self.discriminator(side) for side in fakes)):
            fooled = [bce.g(self.discriminator(side)(self.augment(fake))) for side, (_, fake) in fakes.items()]
        guesses = (self.classifier(gradient_reversal(one.embedding)) for one in (of_x, of_y))
        terms = {
            "reconstruction": c.reconstruction * (l2(of_x.photo, x) + l2(of_y.style, y)),
            "domain": c.domain * domain_adversarial(*guesses),
            "semantic": c.semantic
            * (
                semantic_consistency(of_x.embedding, self.generator(of_x.style, "style").embedding)
                + semantic_consistency(of_y.embedding, self.generator(of_y.photo, "photo").embedding)
            ),
            "adversarial": c.adversarial * torch.stack(fooled).sum(),
        }
        if self.features is not None:
            told = self.reader(self.features(x)[TEACHER].mean((2, 3)))
            terms["teacher"] = c.teacher * (told - of_x.embedding).square().mean()
        yield ("G", "D_domain"), terms

        yield (
            "D",
            {
                side: bce.d(*(self.discriminator(side)(self.augment(image)) for image in (real, fake.detach())))
                for side, (real, fake) in fakes.items()
            },
        )

    def discriminator(self, side: str) -> nn.Module:
        """The discriminator of a side."""
        return self.get_submodule(f"discriminator_{side}")

    def artefact(self, network: str | None = None) -> Artefact:
        """Faces of the crop's size to the style, or back with `to=photo`."""
        side = self.config.crop
        to = Input("to", "choice", names=("style", "photo"), default="style")
        return Artefact(Translation(self.generator), (PICTURE, to), size=(side, side))
