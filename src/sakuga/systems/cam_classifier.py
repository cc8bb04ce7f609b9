"""CAM-loss: a classifier that looks where its class is (Wang, Wang, Zhang, Wang, Wang, ICCV 2021)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.data.dataset import Dataset, Draw
from sakuga.losses import cam_loss, domain_classification
from sakuga.networks.resnet18 import Classified, ResNet18
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Terms
from sakuga.systems.fields import AtLeast, Count, Weight
from sakuga.systems.parts.editing import editor_preview
from sakuga.systems.parts.labelled import LabelledConfig, examples, option_name, read_labels, read_squares
from sakuga.systems.parts.schedules import linear_decay


@dataclass
class CAMClassifierConfig(LabelledConfig):
    """What `sakuga train cam_classifier` can be told; weight and warm-up are a published implementation's, not known
    to be the paper's."""

    crop: int = 64
    batch: Count = 64
    lr: Weight = 1e-3
    steps: Count = 10_000
    warmup: Annotated[int, AtLeast(0)] = 1_000
    """Steps at the beginning that learn from the classes alone."""
    cam: Weight = 3.0
    """Weight of the CAM-loss after the warm-up, α."""
    width: Count = 64
    """Channels of ResNet-18's first layer."""
    small: bool = True
    """Keep the resolution in the first layer, for pictures of 32 to 64 pixels."""
    classes: tuple[str, ...] = ()
    """Names of the classes, or of the attributes; by default those that the labels have."""
    attributes: bool = False
    """Whether they are attributes, any of which may hold; found in the labels."""


class CAMClassifier(System):
    """A classifier of pictures, taught to look at what makes them of their class; other systems take it for attributes.

    L = L_ce + α mean |CAAM' - CAM'_c|: the map of class c, Σ_k w_k^c f_k, shall be that of all features, Σ_k f_k, both
    scaled to [0, 1]; the fully connected layer w learns from L_ce alone. Of attributes L_ce is the binary cross-entropy
    summed over them, and every one that is set has its map.

    What users run shows a class's map on the photo, warm where the classifier looks (Zhou et al., CVPR 2016).

    Source: Wang et al., "Towards Learning Spatially Discriminative Feature Representations", ICCV 2021.
    """

    name = "cam_classifier"
    players = {"C": ["classifier"]}  # noqa: RUF012
    averaged = exportable = ("classifier",)
    Config = CAMClassifierConfig
    config: CAMClassifierConfig

    def __init__(self, config: CAMClassifierConfig):
        super().__init__(config)
        if not config.classes:
            labels = read_labels(config)
            config.classes, config.attributes = labels.names, labels.classes is None
        self.classifier = ResNet18(len(config.classes), width=config.width, small=config.small)

    def data(self) -> Dataset:
        """Pictures with their labels; of classes every one as likely."""
        labels = read_labels(self.config, names=self.config.classes if self.config.attributes else ())
        draw: Draw = "picture" if self.config.attributes else "class"
        return Dataset({"photo": read_squares(self.config), "label": labels}, self.config, draw=draw)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One step of the classifier."""
        label = batch["label"]
        logits, features = self.classifier(batch["photo"])
        terms = {"classes": domain_classification(logits, label)}
        if t >= self.config.warmup:
            weight = self.classifier.fc.weight
            if self.config.attributes:
                rows, columns = label.nonzero(as_tuple=True)
                maps = cam_loss(features[rows], weight, columns, reduction="sum") / max(1, len(rows))
            else:
                maps = cam_loss(features, weight, label)
            terms["cam"] = self.config.cam * maps
        yield "C", terms

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Which class's map is shown."""
        return (Input("of", "choice", names=tuple(map(option_name, self.config.classes))),)

    def artefact(self, network: str | None = None) -> Artefact:
        """The photo with the map of a class."""
        return Artefact(ClassMap(self.classifier), (PICTURE, *self.inputs), multiple=32)

    def preview(self) -> Preview:
        """Four photos, and the maps of up to eight classes on them."""
        photos, side = self.dataset.pictures("photo"), self.config.crop
        return editor_preview(examples(photos, 4, side), self.inputs, examples(photos, 64, side))


class ClassMap(nn.Module):
    """Where a classifier sees a class, as colours from blue (not here) to red on the photo."""

    def __init__(self, classifier: ResNet18):
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Tensor, of: Tensor) -> Tensor:
        """Draw on (N, 3, H, W) in [-1, 1] the map of the class `of` (N, K), one-hot."""
        found: Classified = self.classifier(image)
        weight = of @ self.classifier.fc.weight
        heat = (found.features * weight[:, :, None, None]).sum(1, keepdim=True)
        low, high = heat.amin((2, 3), keepdim=True), heat.amax((2, 3), keepdim=True)
        heat = F.interpolate((heat - low) / (high - low).clamp_min(1e-5), size=image.shape[2:], mode="bilinear")
        colours = [(1.5 - (4 * heat - centre).abs()).clamp(0, 1) for centre in (3, 2, 1)]
        return image / 2 + torch.cat(colours, 1) - 0.5
