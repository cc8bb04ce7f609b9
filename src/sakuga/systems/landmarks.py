"""A landmark regressor: heat maps of where eyes, nose and mouth are, for systems that keep them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import landmark_consistency
from sakuga.networks.landmarks import LandmarkRegressor, draw_heatmaps
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Config, Preview, System, Terms
from sakuga.systems.fields import AtLeast, Count, MoreThan, Role, Weight
from sakuga.systems.parts.augment import color_jitter
from sakuga.systems.parts.faces import read_landmarks
from sakuga.systems.parts.schedules import linear_decay


@dataclass
class LandmarksConfig(Config):
    """What `sakuga train landmarks` can be told; values are ours, chosen to be learned in minutes."""

    landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """Folder of the photos' landmarks, side files of their names; by default beside the photos."""
    crop: int = 128
    load: Count = 144
    """Shorter side to which all pictures are scaled before they are cropped, pixels."""
    batch: Count = 8
    lr: Weight = 1e-3
    steps: Count = 4_000
    sigma: Annotated[float, MoreThan(0)] = 2.5
    """Standard deviation of a landmark's spot in its heat map, pixels."""
    width: Annotated[int, AtLeast(2)] = 16
    """Channels of the network's first level."""
    levels: Annotated[int, AtLeast(2)] = 5
    """How often the network halves a crop."""
    jitter: Weight = 0.3
    """How far brightness, contrast and saturation vary, as a share; the hue by half of that."""
    points: Literal[5, 68] = 5
    """Landmarks of a face, as `sakuga prepare landmarks` finds them."""

    @property
    def short_side(self) -> int:
        """Shorter side of all pictures, pixels."""
        return max(self.load, self.crop)


class LandmarkDetector(System):
    """A U-Net that is shown faces in changing colours and learns the heat maps of their landmarks.

    L = mean (R(x) - l)²: l has a map for each landmark, exp(-d² / 2σ²) of the distance d in pixels.

    What users run marks the landmarks on the photo. `landmark_cyclegan` takes such runs, one of each side.

    Source: the regressors of Wu et al., "Landmark Assisted CycleGAN for Cartoon Face Generation", 2019; sizes are ours.
    """

    name = "landmarks"
    players = {"R": ["regressor"]}  # noqa: RUF012
    averaged = exportable = ("regressor",)
    Config = LandmarksConfig
    config: LandmarksConfig

    def __init__(self, config: LandmarksConfig):
        super().__init__(config)
        c = config
        if c.crop % 2**c.levels:
            raise UsageError(f"--crop {c.crop} must be a multiple of {2**c.levels} with --levels {c.levels}")
        self.regressor = LandmarkRegressor(c.points, width=c.width, levels=c.levels)

    def data(self) -> Dataset:
        """Faces, their landmarks, and what their colours vary by."""
        c = self.config
        photos = Pictures(c.photos, short_side=c.short_side)
        points = read_landmarks(photos, c.landmarks, "--landmarks", "--photos", count=c.points)
        return Dataset({"photo": photos, "points": points, "jitter": Noise(4, uniform=True)}, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One step of the regressor."""
        c, photo = self.config, batch["photo"]
        seen = color_jitter(photo, (2 * batch["jitter"].to(photo) - 1) * c.jitter)
        target = draw_heatmaps(batch["points"].to(photo), (c.crop, c.crop), sigma=c.sigma)
        yield "R", {"heatmaps": landmark_consistency(self.regressor(seen), target)}

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    def artefact(self, network: str | None = None) -> Artefact:
        """The photo with a mark on each landmark."""
        return Artefact(Marked(self.regressor), multiple=self.regressor.multiple)

    def preview(self) -> Preview:
        """Four photos from all over the collection."""
        return Preview({"image": sample_squares(self.dataset.pictures("photo"))})


class Marked(nn.Module):
    """A picture on which each landmark that a regressor finds is a spot of another colour."""

    def __init__(self, regressor: LandmarkRegressor):
        super().__init__()
        self.regressor = regressor

    def forward(self, image: Tensor) -> Tensor:
        """Mark (N, 3, H, W) in [-1, 1]."""
        maps: Tensor = self.regressor(image)
        turns = torch.arange(maps.shape[1], device=image.device, dtype=image.dtype) / maps.shape[1]
        hues = torch.stack([(6 * ((turns + shift) % 1) - 3).abs() - 2 for shift in (0.0, 2 / 3, 1 / 3)], 1).clamp(-1, 1)
        alpha = maps.amax(1, keepdim=True)
        color = (maps[:, :, None] * hues[None, :, :, None, None]).sum(1) / maps.sum(1, keepdim=True).clamp_min(1e-4)
        marked: Tensor = image * (1 - alpha) + color * alpha
        return marked
