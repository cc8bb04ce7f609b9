"""CariGAN: caricatures from weak pairs, which show one person and nothing else alike (Li, Xiong et al., 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch

from sakuga.data.columns import Derived, Noise
from sakuga.data.dataset import Dataset
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import bce, l1, noise_diversity
from sakuga.networks.cariganet import CariGANGenerator, PosedCaricature, draw_points
from sakuga.networks.patchgan import PatchGAN
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Update, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, Role, Weight
from sakuga.systems.parts.faces import read_landmarks
from sakuga.systems.parts.labelled import examples
from sakuga.systems.parts.people import part_mask, photos_of
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import UnpairedConfig

ROWS = 2


@dataclass
class CariGANConfig(UnpairedConfig):
    """What `sakuga train cariganet` can be told; rate and adversarial weights are pix2pix's, the others are ours."""

    photos: Annotated[tuple[Path, ...], Role("photos", required=True)] = ()
    """Folders of photos, a folder for each person in them."""
    style: Annotated[tuple[Path, ...], Role("caricatures", required=True)] = ()
    """Folders of caricatures, with folders of the same people."""
    style_landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """Folder of the caricatures' landmarks, side files of their names; by default beside them."""
    batch: Count = 1
    lr: Weight = 2e-4
    steps: Count = 100_000
    pixel: Weight = 10.0
    """Weight of the L1 distance on eyes, nose and mouth, λ₁; of weak pairs the rest has no target."""
    diversity: Weight = 1.0
    """Weight of caricatures' differing as their noises do, λ_d."""
    alpha: Weight = 0.2
    """How far caricatures are to differ for a distance of 1 of their noises, α."""
    noise: Count = 8
    """Numbers that a caricature is varied by."""
    width: Count = 64
    """Channels of both networks' first layers."""
    levels: Annotated[int, AtLeast(2)] = 8
    """Halvings of the generator; --crop is a multiple of 2^levels."""
    poses: Annotated[int, AtLeast(2), AtMost(256)] = 16
    """Poses of caricatures that the finished style offers."""


class CariGAN(System):
    """A U-Net is told a photo x, a pose l and noise z, and a discriminator sees x, l and a caricature.

    Weak pairs have no target that fits, so D also sees the fused picture f = M G + (1 - M) y: eyes, nose and mouth (M)
    of the result in the caricature y whose pose it was told. L = L_cGAN(G) + L_cGAN(f) + λ₁ ‖f - y‖₁ + λ_d L_div with
    L_div = | ‖G(x, l, z₁) - G(x, l, z₂)‖₁ - α ‖z₁ - z₂‖₁ |; norms are averaged.

    Source: Li, Xiong et al., "CariGAN: Caricature Generation through Weakly Paired Adversarial Learning", 2018 (Neural
    Networks 2020). No code is public: the form of L_div and all weights are uncertain. The 17 landmarks that are drawn
    are taken of iBUG's 68.
    """

    name = "cariganet"
    betas = (0.5, 0.999)
    players = {"D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    averaged = ()
    Config = CariGANConfig
    config: CariGANConfig

    def __init__(self, config: CariGANConfig):
        super().__init__(config)
        c = config
        if c.crop % 2**c.levels:
            raise UsageError(f"--crop {c.crop} must be a multiple of {2**c.levels} for --levels {c.levels}")
        self.generator = CariGANGenerator(c.noise, width=c.width, levels=c.levels, poses=c.poses)
        self.discriminator = PatchGAN(3 + 1 + 3, width=c.width)

    def data(self) -> Dataset:
        """Caricatures with their landmarks and masks, photos of the same people, two noises; keeps some poses."""
        c = self.config
        self.photos, style = (Pictures(folders, short_side=c.short_side) for folders in (c.photos, c.style))
        points = read_landmarks(style, c.style_landmarks, "--style-landmarks", "--style", count=68)
        chosen = [len(style) * i // c.poses for i in range(c.poses)]
        found = torch.from_numpy(points.around_middles(mirror=False))
        self.generator.poses.copy_(found[chosen] / c.crop + 0.5)
        columns = {
            "photo": photos_of(style, self.photos, c.crop, mirror=c.mirror),
            "style": style,
            "points": points,
            "mask": Derived(lambda of: part_mask(of, c.crop), points),
            "noise": Noise(c.noise),
            "other": Noise(c.noise),
        }
        return Dataset(columns, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """The discriminator, then the generator on the same caricatures."""
        c, x, y, mask = self.config, batch["photo"], batch["style"], batch["mask"].to(batch["photo"])
        points = batch["points"].to(x)
        told = torch.cat([x, draw_points(points, c.crop)], 1)

        def score(image: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.discriminator(torch.cat([told, image], 1))
            return scores

        made, other = (self.generator(x, points, batch[name].to(x)) for name in ("noise", "other"))
        fused = mask * made + (1 - mask) * y
        real = score(y)
        terms = {"whole": bce.d(real, score(made.detach())), "fused": bce.d(real, score(fused.detach()))}
        yield "D", {name: term / 2 for name, term in terms.items()}

        with frozen(self.discriminator):
            fooled = {"whole": bce.g(score(made)), "fused": bce.g(score(fused))}
        apart = noise_diversity(made, other, batch["noise"].to(x), batch["other"].to(x), alpha=c.alpha)
        yield "G", {**fooled, "pixel": c.pixel * l1(fused, y), "diversity": c.diversity * apart}

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    def artefact(self, network: str | None = None) -> Artefact:
        """A square of a face as a caricature, in one of the poses that were kept, by a seed."""
        c = self.config
        pose = Input("pose", "choice", names=tuple(str(i + 1) for i in range(c.poses)), default="1")
        module = PosedCaricature(self.generator, c.crop)
        return Artefact(module, (PICTURE, pose, Input("noise", "noise", size=c.noise)), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Four photos in two poses, and up to 64 caricatures."""
        c, style = self.config, self.dataset.pictures("style")
        shown = examples(self.photos, 4, c.crop)
        poses = torch.eye(c.poses)[:ROWS].repeat_interleave(len(shown), 0)
        noise = torch.randn(len(poses), c.noise, generator=torch.Generator().manual_seed(0))
        inputs = {"image": shown.repeat(ROWS, 1, 1, 1), "pose": poses, "noise": noise}
        return Preview(inputs, examples(style, 64, c.crop), rows=ROWS)
