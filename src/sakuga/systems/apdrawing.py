"""APDrawingGAN: portraits drawn with a pen, by a network for each part of the face (Yi, Liu, Lai, Rosin, CVPR 2019)."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor

from sakuga.data.columns import Column
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.masks import Masks
from sakuga.data.pairs import load_pairs
from sakuga.errors import UsageError
from sakuga.faces.frame import FaceFrame
from sakuga.losses import bce, distance_transform, exact_distance_transform, grayscale, l1, l2
from sakuga.networks.apdrawing import PARTS, APDrawingGenerator, Penman, guess_foreground, place_patches, view_parts
from sakuga.networks.patchgan import PatchGAN
from sakuga.networks.unet import UNet, per_picture
from sakuga.runtime.console import say
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Config, Preview, System, Terms, frozen
from sakuga.systems.fields import AtLeast, Count, MultipleOf, Role, Weight
from sakuga.systems.parts.faces import read_landmarks

TEMPLATE = ((201.1, 246.9), (310.9, 246.9), (256.0, 311.8), (206.6, 370.8), (305.4, 370.8))
"""Eyes, nose and corners of the mouth in an aligned portrait of 512 pixels, as the official preparation has them."""


@dataclass
class APDrawingConfig(Config):
    """What `sakuga train apdrawing` can be told; the official code's values, its 300 epochs for 420 pairs."""

    photos: Annotated[tuple[Path, ...], Role("portraits", required=True, of="folder")] = ()
    """A folder of portraits, aligned squares, or of portrait and drawing side by side without `targets`."""
    targets: Annotated[Path | None, Role("drawings", of="folder")] = None
    """Folder of the drawings, named like the portraits."""
    landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """Folder of the portraits' five landmarks, side files of their names; by default beside the portraits."""
    masks: Annotated[Path | None, Role("masks", of="name")] = None
    """Folder of gray pictures, white where the person is, named like the portraits; a segmenter learns them on the way.
    Without it the person is guessed from the landmarks."""
    crop: Annotated[int, AtLeast(64), MultipleOf(16)] = 512
    """Side to which the portraits are scaled, pixels."""
    batch: Count = 1
    lr: Weight = 2e-4
    steps: Count = 126_000
    adversarial_local: Weight = 0.25
    """Weight of what each local discriminator takes for drawn."""
    l1: Weight = 100.0
    """Weight of the L1 distance of the whole drawing."""
    l1_local: Weight = 25.0
    """Weight of that of each part."""
    distance: Weight = 0.1
    """Weight of the distance transforms; 0 for a pre-training on drawings that a filter made, as in the paper."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of all networks' first layers."""
    levels: Annotated[int, AtLeast(2)] = 8
    """Halvings of the global U-Net; the crop must be a multiple of 2 to this power."""
    segmenter_width: Annotated[int, AtLeast(2)] = 16
    """Channels of the segmenter's first level."""


class APDrawingGAN(System):
    """A global generator and six local ones, fused, against as many discriminators, which see portrait and drawing.

    L_G = -log D(x, G) - λ_loc Σ_i log D_i(x_i, G_i) + λ₁ ‖y - G‖₁ + λ_1,loc Σ_i ‖y_i - G_i‖₁
    + λ_DT (d(y, G) + d(G, y)), L_D = ½ (L_BCE(D) + Σ_i L_BCE(D_i)). Parts are eyes, nose, mouth, hair and background,
    G_i before the fusion; hair and background are black in the portrait and white in the drawing where they are not.

    d is a Chamfer distance by distance transforms, summed over pixels. In the paper four frozen networks find these and
    the lines, so that d(y, G) has a gradient; d(G, y) has none in the official code, whose mask of G's lines is hard.
    Here transforms are exact, all black and white pixels count, and it is d(G, y) that has one, through a soft mask,
    and d(y, G) that is a figure only. The paper trains on 6,655 filtered photos first: `--distance 0`, then `--init`.

    Users' faces are moved to the template of the official preparation, so their parts lie where it has them.

    Source: Yi, Liu, Lai, Rosin, "APDrawingGAN: Generating Artistic Portrait Drawings from Face Photos with Hierarchical
    GANs", CVPR 2019, equations 1 to 9.
    """

    name = "apdrawing"
    betas = (0.5, 0.999)
    players = {  # noqa: RUF012
        "S": ["segmenter"],
        "D": ["discriminator", *(f"discriminator_{part}" for part in PARTS)],
        "G": ["generator"],
    }
    channels_last = False
    Config = APDrawingConfig
    config: APDrawingConfig
    discriminator: torch.nn.Module

    def __init__(self, config: APDrawingConfig):
        super().__init__(config)
        c = config
        if c.crop % 2**c.levels:
            raise UsageError(f"--crop {c.crop} must be a multiple of {2**c.levels} with --levels {c.levels}")
        self.players = {player: names for player, names in type(self).players.items() if player != "S" or c.masks}
        if c.masks:
            self.segmenter = UNet(3, 1, width=c.segmenter_width, levels=4, norm="instance", dropout=())
        self.generator = APDrawingGenerator(width=c.width, levels=c.levels)
        for name in self.players["D"]:
            self.add_module(name, PatchGAN(4, width=c.width, norm="batch"))

    def prepare(self) -> None:
        """Tell what stands in for masks."""
        if not self.config.masks:
            say("the person is guessed from the landmarks: --masks names no masks")

    def data(self) -> Dataset:
        """Portraits, their drawings, landmarks and masks."""
        c = self.config
        photos, targets = load_pairs(c.photos[0], c.targets, short_side=c.crop)
        points = read_landmarks(photos, c.landmarks, "--landmarks", "--photos", count=5)
        columns: dict[str, Column] = {"photo": photos, "target": targets, "points": points}
        if c.masks:
            columns["mask"] = Masks(photos, c.masks)
        return Dataset(columns, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The segmenter, where there are masks; the discriminators on the fake; the generator."""
        c, photo, target = self.config, batch["photo"], grayscale(batch["target"])
        points = batch["points"].to(photo)
        person = batch["mask"].to(photo) if "mask" in batch else guess_foreground(points, c.crop)
        if "mask" in batch:
            yield "S", {"mask": l2(self.segmenter(photo), 2 * person - 1)}

        places = place_patches(points, c.crop)
        fused, parts = self.generator(photo, person, places)
        views = view_parts(photo, target, person, places)
        fakes = {part: (x, parts[part]) for part, (x, _) in views.items()}
        terms = {"whole": self._judge(self.discriminator, photo, target, fused.detach()) / 2}
        for part, (x, y) in views.items():
            terms[part] = self._judge(self._local(part), x, y, parts[part].detach()) / 2
        yield "D", terms

        with frozen(self.discriminator, *map(self._local, PARTS)):
            fooled = [bce.g(self._local(part)(torch.cat(pair, 1))) for part, pair in fakes.items()]
            terms = {
                "adversarial": bce.g(self.discriminator(torch.cat([photo, fused], 1))),
                "adversarial_local": c.adversarial_local * torch.stack(fooled).sum(),
                "l1": c.l1 * l1(fused, target),
                "l1_local": c.l1_local * torch.stack([l1(parts[p], y) for p, (_, y) in views.items()]).sum(),
            }
        if c.distance:
            transforms = (exact_distance_transform(drawing.detach()) for drawing in (fused, target))
            terms["distance"] = c.distance * distance_transform(fused, target, *transforms)
        yield "G", terms

    def _judge(self, network: torch.nn.Module, photo: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        return bce.d(network(torch.cat([photo, real], 1)), network(torch.cat([photo, fake], 1)))

    def _local(self, part: str) -> torch.nn.Module:
        return self.get_submodule(f"discriminator_{part}")

    def artefact(self, network: str | None = None) -> Artefact:
        """A photo's faces as drawings; trained with --batch 1, norms measure the picture at hand, as pix2pix's do."""
        c = self.config
        scale = c.crop / 512
        template = tuple((x * scale, y * scale) for x, y in TEMPLATE)
        points = torch.tensor([template])
        generator = per_picture(copy.deepcopy(self.generator)) if c.batch == 1 else self.generator
        module = Penman(
            generator,  # type: ignore[arg-type]
            self.segmenter if c.masks else None,
            place_patches(points, c.crop)[0],
            guess_foreground(points, c.crop),
        )
        return Artefact(module, size=(c.crop, c.crop), frame=FaceFrame(template, c.crop))

    def preview(self) -> Preview:
        """Four portraits from all over the collection, and up to 64 drawings."""
        photos, targets = self.dataset.pictures("photo"), self.dataset.pictures("target")
        return Preview({"image": sample_squares(photos)}, sample_squares(targets, count=64))
