"""CoCosNet: a condition becomes a photo in the look of an exemplar (Zhang, Zhang, Chen, Yuan, Wen, CVPR 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.data.columns import Derived, Noise
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.derived.shift import shift
from sakuga.data.pairs import load_pairs
from sakuga.losses import (
    content,
    contextual,
    correspondence_regularization,
    domain_alignment,
    feature_matching,
    hinge,
    l1,
)
from sakuga.networks.cocosnet import ByExemplar, CoCosDiscriminator, CoCosGenerator, Correspondence, warp_onto
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Config, Preview, System, Terms, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, MultipleOf, Role, Weight
from sakuga.systems.parts.chosen import mean_of
from sakuga.systems.parts.content import Backbone, ContentFeatures
from sakuga.systems.parts.schedules import linear_decay

MATCHED = {"relu1_2": 1 / 32, "relu2_2": 1 / 16, "relu3_2": 1 / 8, "relu4_2": 1 / 4, "relu5_2": 1.0}
CONTEXT = {"relu5_2": 8.0, "relu4_2": 4.0, "relu3_2": 2.0}
"""Weights of the layers by which a result is compared with its photo, and with its exemplar."""


@dataclass
class CoCosNetConfig(Config):
    """What `sakuga train cocosnet` can be told; the official code's values, for faces from edges."""

    photos: Annotated[tuple[Path, ...], Role("conditions", required=True, of="folder")] = ()
    """A folder of conditions, such as edges, masks or poses as pictures; or of condition and photo side by side."""
    targets: Annotated[Path | None, Role("photos", of="folder")] = None
    """Folder of their photos, named like the conditions."""
    crop: Annotated[int, AtLeast(64), MultipleOf(32)] = 256
    load: Count = 286
    """Shorter side to which pictures are scaled before they are cropped, pixels."""
    batch: Count = 4
    lr: Weight = 1e-4
    lr_discriminator: Weight = 4e-4
    """The discriminator's learning rate."""
    steps: Count = 200_000
    real: Annotated[float, AtLeast(0), AtMost(1)] = 0.7
    """Share of exemplars that are another photo; the rest are the condition's own photo, moved and mirrored."""
    matching: Weight = 10.0
    """Weight of the features of the own photo, of results whose exemplar it is."""
    domain: Weight = 10.0
    """Weight of the likeness of features of condition and photo."""
    perceptual: Weight = 0.001
    """Weight of the squared distance of deep features from the own photo's, whatever the exemplar."""
    context: Weight = 10.0
    """Weight of the contextual loss, by which a result resembles its exemplar."""
    regularization: Weight = 1.0
    """Weight of the way back of the correspondence: 1 for edges, 0.1 for masks of faces, 0 for many labels."""
    self_warp: Weight = 0.0
    """Weight of the likeness of the warped exemplar and the own photo, where the exemplar is that photo, moved: 100 for
    clothes; where pictures are few, the other terms do not tell the correspondence where to look."""
    adversarial: Weight = 10.0
    """Weight of the hinge game, for both players."""
    discriminator_matching: Weight = 10.0
    """Weight of the discriminator's features of the own photo."""
    width: Annotated[int, AtLeast(1)] = 64
    """Channels of all networks' first layers; of the generator's last."""
    features: Backbone = "vgg19"
    """The network of the losses."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""

    @property
    def short_side(self) -> int:
        """Shorter side of all pictures, pixels."""
        return max(self.load, self.crop)


class CoCosNet(System):
    """A correspondence warps the exemplar y to the condition x; a generator, told of both everywhere, paints x̂.

    L = λ_feat Σ_l w_l mean |φ_l(x̂) - φ_l(p)| over results whose exemplar is their own photo p, moved
    + λ_dom mean |F_A(x) - F_B(p)| + λ_perc mean (φ_4(x̂) - φ_4(p))² + λ_ctx Σ_l w_l L_CX(φ_l(x̂), φ_l(y))
    + λ_reg mean |r_y→x→y - y| + λ_self mean |r_y→x - p| over those results again + λ_adv (-D(x, x̂))
    + λ_fm Σ_l mean |D_l(x, x̂) - D_l(x, p)|; D: λ_adv times the hinge. λ_self is the code's, for clothes.

    Exemplars are other photos at random, which suffices where all show one kind of thing. The code's further term for
    label maps (the log-likelihood of warped labels) is not here: conditions are pictures of three colours.

    Source: Zhang, Zhang, Chen, Yuan, Wen, "Cross-domain Correspondence Learning for Exemplar-based Image Translation",
    CVPR 2020, equations 1 to 12; weights of the official code: the paper does not state them all.
    """

    name = "cocosnet"
    players = {"G": ["correspondence", "generator"], "D": ["discriminator"]}  # noqa: RUF012
    averaged = ()
    presets = {"clothes": {"real": 0.0, "self_warp": 100.0}}  # noqa: RUF012
    exportable = ("generator",)
    channels_last = False
    Config = CoCosNetConfig
    config: CoCosNetConfig

    def __init__(self, config: CoCosNetConfig):
        super().__init__(config)
        self.correspondence = Correspondence(width=config.width)
        self.generator = CoCosGenerator(width=config.width)
        self.discriminator = CoCosDiscriminator(width=config.width)
        self.features: ContentFeatures | None = None

    def prepare(self) -> None:
        """Load the network of the losses."""
        c = self.config
        self.features = ContentFeatures(c.features, tuple(MATCHED), weights=c.features_weights)

    def data(self) -> Dataset:
        """Conditions with their photos, those photos moved, other photos, and which of both is the exemplar."""
        c = self.config
        conditions, photos = load_pairs(c.photos[0], c.targets, short_side=c.short_side)
        moved_photos = Derived(shift, photos, Noise(4, uniform=True))
        columns = {"condition": conditions, "photo": photos, "moved": moved_photos, "turn": Noise(1, uniform=True)}
        return Dataset(columns, c, draw="picture") | Dataset({"other": photos}, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The correspondence and the generator, then the discriminator on the same results."""
        c, x, photo = self.config, batch["condition"], batch["photo"]
        own = batch["turn"].to(photo).view(-1) >= c.real
        exemplar = torch.where(own.view(-1, 1, 1, 1), batch["moved"], batch["other"])
        match = self.correspondence(x, exemplar, photo)
        fake = self.generator(warp_onto(match, x))

        assert self.features is not None
        with torch.no_grad():
            wanted, shown = self.features(photo), self.features(exemplar)
        seen = self.features(fake)
        with frozen(self.discriminator):
            judged, truth = self._judge(x, fake), self._judge(x, photo)
        deep = {"relu4_2": seen["relu4_2"]}, {"relu4_2": wanted["relu4_2"]}
        matched = content(seen, wanted, weights=MATCHED, reduction="none")
        warped = l1(match.warped, F.avg_pool2d(photo, 4), reduction="none")
        inner = [maps[:-1] for maps in judged], [maps[:-1] for maps in truth]
        yield (
            "G",
            {
                "matching": c.matching * mean_of(matched, own),
                "domain": c.domain * domain_alignment(match.features, match.paired),
                "perceptual": c.perceptual * content(*deep, norm="l2"),
                "context": c.context * contextual(_context(seen), _context(shown), weights=CONTEXT, center="channels"),
                "regularization": c.regularization * correspondence_regularization(match.back, match.reduced),
                "self_warp": c.self_warp * mean_of(warped, own),
                "adversarial": c.adversarial * hinge.g([maps[-1] for maps in judged]),
                "discriminator": c.discriminator_matching * feature_matching(*inner),
            },
        )

        scores = ([maps[-1] for maps in self._judge(x, image)] for image in (photo, fake.detach()))
        yield "D", {"adversarial": c.adversarial * hinge.d(*scores)}

    def _judge(self, condition: Tensor, image: Tensor) -> list[list[Tensor]]:
        found: list[list[Tensor]] = self.discriminator(torch.cat([condition, image], 1))
        return found

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam without first moments, the discriminator's four times as fast; ε of G is the code's."""
        c = self.config
        return {
            "G": torch.optim.Adam(self.weights("G"), c.lr, betas=(0.0, 0.9), eps=1e-3),
            "D": torch.optim.Adam(self.weights("D"), c.lr_discriminator, betas=(0.0, 0.9)),
        }

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    def artefact(self, network: str | None = None) -> Artefact:
        """Conditions of the crop's side, and a reference in whose look they are painted."""
        side = self.config.crop
        module = ByExemplar(self.correspondence, self.generator)
        return Artefact(module, (PICTURE, Input("reference", "picture")), size=(side, side))

    def preview(self) -> Preview:
        """Four conditions, in the look of their photos one on, and up to 64 photos."""
        conditions, photos = self.dataset.pictures("condition"), self.dataset.pictures("photo")
        shown, looks = (sample_squares(one, size=self.config.crop) for one in (conditions, photos))
        return Preview({"image": shown, "reference": looks.roll(1, 0)}, sample_squares(photos, count=64))


def _context(features: dict[str, Tensor]) -> dict[str, Tensor]:
    """The layers of the contextual loss, the largest of them at half its side."""
    return {name: F.avg_pool2d(features[name], 2) if name == "relu3_2" else features[name] for name in CONTEXT}
