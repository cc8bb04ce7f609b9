"""AutoToon: faces are exaggerated by warps learned from an artist (Gong, Hold-Geoffroy, Lu, WACV 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.pairs import load_pairs
from sakuga.data.warps import Warps
from sakuga.errors import SakugaError, UsageError
from sakuga.faces.frame import FaceFrame
from sakuga.losses import l1, warp_smoothness
from sakuga.networks.autotoon import Caricature, Warper, enlarge_warp, warp_picture
from sakuga.runtime.downloaded import check_whole
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Config, Preview, System, Terms
from sakuga.systems.fields import AtLeast, Count, MultipleOf, Role, Weight
from sakuga.systems.parts.augment import color_jitter

TEMPLATE = ((100.6, 121.6), (154.4, 121.6), (127.5, 149.8), (102.0, 173.7), (153.0, 173.7))
"""Eyes, nose and corners of the mouth in a square of 256: their mean over the authors' 101 photos."""
MAX_SIDE = 2048
EXAGGERATION = Input("exaggeration", "number", minimum=0.0, maximum=2.0, default=1.0)


@dataclass
class AutoToonConfig(Config):
    """What `sakuga train autotoon` can be told; the official code's values."""

    photos: Annotated[tuple[Path, ...], Role("photos", required=True, of="folder")] = ()
    """A folder of faces, aligned and cut to squares."""
    targets: Annotated[Path | None, Role("caricatures", required=True, of="folder")] = None
    """Folder of the caricatures, named like the photos."""
    warps: Annotated[Path | None, Role("warps", required=True, of="name")] = None
    """The artist's warps, an .npz with an array (2, h, w) by each photo's name: x and y of the place that each place
    shows, in units of half the picture."""
    senet: Path | None = None
    """Weights of VGGFace2's SENet-50 (.pth) to begin with, as the authors did; by default random ones."""
    width: Annotated[int, MultipleOf(4), AtLeast(4)] = 64
    """Channels of the network's first layer; less makes a smaller style."""
    gain: Weight = 1.0
    """What a finished style multiplies warps by: of faces it never saw a network dares less than its artist."""
    crop: Annotated[int, AtLeast(32), MultipleOf(8)] = 256
    """Side to which the squares are scaled, pixels."""
    batch: Count = 16
    lr: Weight = 1e-4
    steps: Count = 30_000
    warp: Weight = 0.7
    """Weight of the distance from the artist's warp, λ_warp; the reconstruction's is 1."""
    smoothness: Weight = 1e-6
    """Weight of the warp's changes of direction, summed over pixels and batch, λ_reg."""
    rate_decay: Weight = 0.95
    """Factor of the learning rate after every 500 steps."""
    jitter: Weight = 0.1
    """How far brightness, contrast and saturation vary, as a share; the hue by half of that."""


class AutoToon(System):
    """A network sees a warp; the photo warped by it shall be the caricature, and the warp the artist's.

    L = ‖warped - y‖₁ + λ_warp ‖F - W‖₁ + λ_reg Σ (2 - cos(F_ij, F_i,j+1) - cos(F_ij, F_i+1,j)): means of the pictures,
    normalised, and of the warps at an eighth of their side, the sum over the warp at the pictures' size. Mirrored pairs
    mirror the warp as well: the official code reverses its rows instead, and does not negate dx.

    Source: Gong, Hold-Geoffroy, Lu, "AutoToon: Automatic Geometric Warping for Face Cartoon Generation", WACV 2020.
    """

    name = "autotoon"
    betas = (0.5, 0.999)
    players = {"W": ["warper"]}  # noqa: RUF012
    averaged = ()
    exportable = ("warper",)
    Config = AutoToonConfig
    config: AutoToonConfig

    def __init__(self, config: AutoToonConfig):
        super().__init__(config)
        self.warper = Warper(config.width)

    def prepare(self) -> None:
        """Load the weights to begin with."""
        if self.config.senet is None:
            return
        own = self.warper.state_dict()
        try:
            check_whole(self.config.senet)
            found = torch.load(self.config.senet, weights_only=True, map_location="cpu")
            fitting = {name: found[name] for name in own if not name.startswith("head.") and "num_batches" not in name}
            self.warper.load_state_dict(fitting, strict=False)
        except SakugaError:
            raise
        except Exception as error:  # torch raises many kinds for a damaged file
            reason = str(error).partition("\n")[0]
            raise UsageError(f"--senet {self.config.senet} does not hold SENet-50's weights ({reason})") from error

    def data(self) -> Dataset:
        """Photos, their caricatures and warps, and what their colours vary by."""
        c = self.config
        assert c.warps
        photos, targets = load_pairs(c.photos[0], c.targets, short_side=c.crop)
        columns = {"photo": photos, "target": targets, "warp": Warps(photos, c.warps)}
        return Dataset({**columns, "jitter": Noise(4, uniform=True)}, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One step of the network; both pictures of a pair have their colours changed alike."""
        c = self.config
        amounts = (2 * batch["jitter"].to(batch["photo"]) - 1) * c.jitter
        photo, target = (color_jitter(batch[name], amounts) for name in ("photo", "target"))
        warp = self.warper(photo)
        fine = enlarge_warp(warp, (c.crop, c.crop))
        warped = warp_picture(photo, fine)
        artist = F.interpolate(batch["warp"].to(warp), size=warp.shape[2:], mode="bilinear", align_corners=True)
        normalise = self.warper.normalise
        yield (
            "W",
            {
                "reconstruction": l1(normalise(warped), normalise(target)),
                "warp": c.warp * l1(warp, artist),
                "smoothness": c.smoothness * c.batch * warp_smoothness(fine),
            },
        )

    def rate(self, t: int, player: str) -> float:
        """Falls in stairs of 500 steps."""
        return float(self.config.rate_decay ** (t // 500))

    def artefact(self, network: str | None = None) -> Artefact:
        """The photo's faces, exaggerated."""
        c, scale = self.config, self.config.crop / 256
        template = tuple(((x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5) for x, y in TEMPLATE)
        frame = FaceFrame(template, c.crop, max(MAX_SIDE, c.crop))
        return Artefact(Caricature(self.warper, c.crop, c.gain), (PICTURE, EXAGGERATION), frame=frame)

    def preview(self) -> Preview:
        """Four photos from all over the collection, and up to 64 caricatures."""
        photos, targets = self.dataset.pictures("photo"), self.dataset.pictures("target")
        return Preview(
            {"image": sample_squares(photos), "exaggeration": torch.ones(min(4, len(photos)))},
            sample_squares(targets, count=64),
        )
