"""Landmark Assisted CycleGAN: faces become drawings whose eyes, nose and mouth stay (Wu, Gu, Tao, Lu, Jia, 2019)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from sakuga.data.dataset import Dataset
from sakuga.errors import UsageError
from sakuga.faces.frame import FaceFrame
from sakuga.losses import ImagePool, l1, landmark_consistency, lsgan
from sakuga.networks.landmarks import PATCHES, Assisted, LandmarkRegressor, cut_patches, draw_heatmaps, read_heatmaps
from sakuga.networks.patchgan import PatchGAN
from sakuga.networks.resnet import ResNetGenerator
from sakuga.runtime.console import say
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, Count, Role, Weight
from sakuga.systems.parts.faces import LandmarkedConfig, load_regressor, read_landmarks
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig, load_sides

SIDES = ("style", "photo")
MIN_CROP = 64
"""Pixels below which the patches are too small for their discriminators."""


@dataclass
class LandmarkCycleGANConfig(UnpairedConfig, LandmarkedConfig):
    """What `sakuga train landmark_cyclegan` can be told; the paper has no public code, and its weights, patches and the
    length of its second stage are known from second hand alone."""

    crop: int = 128
    load: Count = 144
    batch: Count = 1
    lr: Weight = 2e-4
    steps: Count = 200_000
    first: Annotated[int, AtLeast(0)] = 100_000
    """Steps at the beginning without local discriminators."""
    style_landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """The same of the pictures of the style, five landmarks each."""
    style_regressor: Annotated[Path | None, Role("landmark regressor", of="name")] = None
    """The same on the pictures of the style."""
    cycle: Weight = 10.0
    """Weight of the cycle consistency."""
    consistency: Weight = 100.0
    """Weight of the landmarks' staying where they are."""
    plain: Weight = 0.5
    """Weight of the discriminators that see a picture alone."""
    conditional: Weight = 0.5
    """Weight of those that see its landmarks too."""
    local: Weight = 0.3
    """Weight of each of those that see eyes, nose or mouth, in the second stage."""
    blocks: Annotated[int, AtLeast(0)] = 6
    """Residual blocks of the generators."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of generators' and discriminators' first layers."""
    pool: Annotated[int, AtLeast(0)] = 50
    """Earlier fakes that each discriminator is shown again."""
    template: tuple[float, ...] = ()
    """Where a photo's landmarks lie in a crop, x and y of each; their mean, found in the files."""


class LandmarkCycleGAN(Unpaired):
    """CycleGAN whose networks are told where eyes, nose and corners of the mouth are, as heat maps l.

    L_G = Σ over both ways of ½ (D(G(x, l)) - 1)² + ½ (D(G(x, l), l) - 1)² + λ_cyc ‖F(G(x, l), l) - x‖₁
    + λ_lm mean (R(G(x, l)) - l)², R the regressor of the other side; in the second stage + λ_loc Σ (D_i(patch_i) - 1)²
    over eyes, nose and mouth, cut where R sees them in the result. Discriminators: half of D's least squares, pooled
    fakes. Regressors learn from the pictures' own landmarks, before (`landmarks`) or beside, and from nothing else.

    `augment` changes what the discriminators of pictures alone see. What users run finds the landmarks itself.

    Source: Wu, Gu, Tao, Lu, Jia, "Landmark Assisted CycleGAN for Cartoon Face Generation", 2019. The paper's game is
    the logarithmic one; least squares as recommended for CycleGANs.
    """

    name = "landmark_cyclegan"
    players = {  # noqa: RUF012
        "G": ["generator", "inverse"],
        "D": ["discriminator_style", "discriminator_photo", "conditional_style", "conditional_photo"],
        "D_local": [f"{part}_{side}" for part in PATCHES for side in SIDES],
        "R": ["regressor_style", "regressor_photo"],
    }
    averaged = exportable = ("generator", "inverse")
    stateful = ("pool_style", "pool_photo")
    Config = LandmarkCycleGANConfig
    config: LandmarkCycleGANConfig

    def __init__(self, config: LandmarkCycleGANConfig):
        super().__init__(config)
        c = config
        if c.crop < MIN_CROP:
            raise UsageError(f"--crop {c.crop} must be {MIN_CROP} or more")
        c.check_levels()
        self.generator, self.inverse = (ResNetGenerator(channels=8, width=c.width, blocks=c.blocks) for _ in SIDES)
        for side in SIDES:
            self.add_module(f"discriminator_{side}", PatchGAN(width=c.width))
            self.add_module(f"conditional_{side}", PatchGAN(8, width=c.width))
            for part in PATCHES:
                self.add_module(f"{part}_{side}", PatchGAN(width=c.width, strided=2))
            regressor = LandmarkRegressor(width=c.regressor_width, levels=c.regressor_levels)
            self.add_module(f"regressor_{side}", regressor)
        self.pool_style, self.pool_photo = (ImagePool(c.pool, seed=c.seed + i) for i in (0, 1))
        given = {"style": c.style_regressor, "photo": c.regressor}
        self.learned = [side for side in SIDES if given[side] is None]
        self.given = {side: run for side, run in given.items() if run is not None}
        self.players = type(self).players | {"R": [f"regressor_{side}" for side in self.learned]}
        if not self.learned:
            del self.players["R"]

    def prepare(self) -> None:
        """Load the regressors that were trained before, and tell which learn here."""
        c = self.config
        for side, run in self.given.items():
            option = "--regressor" if side == "photo" else "--style-regressor"
            regressor = self.of("regressor", side)
            assert isinstance(regressor, LandmarkRegressor)
            load_regressor(regressor, run, option, side=c.crop, sigma=c.sigma)
        if self.learned:
            say(f"landmarks of {' and '.join(self.learned)} are learned on the way: no regressor was given")

    def data(self) -> Dataset:
        """Crops of either side, and the landmarks in them."""
        c = self.config
        photos, style = load_sides(c)
        points = read_landmarks(photos, c.landmarks, "--landmarks", "--photos", count=5)
        drawn = read_landmarks(style, c.style_landmarks, "--style-landmarks", "--style", count=5)
        if not c.template:
            mean = points.around_middles(mirror=False).mean(0) + (c.crop - 1) / 2
            c.template = tuple(round(float(number), 2) for number in mean.flatten())
        first = Dataset({"photo": photos, "photo_points": points}, c, draw="picture")
        return first | Dataset({"style": style, "style_points": drawn}, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The regressors that learn, both generators, then all discriminators on the same fakes."""
        c, of, late = self.config, self.of, t >= self.config.first
        real = {side: batch[side] for side in SIDES}
        points = {side: batch[f"{side}_points"].to(real[side]) for side in SIDES}
        maps = {side: draw_heatmaps(points[side], (c.crop, c.crop), sigma=c.sigma) for side in SIDES}
        if self.learned:
            yield "R", {s: landmark_consistency(of("regressor", s)(real[s]), maps[s]) for s in self.learned}

        to = {"style": self.generator, "photo": self.inverse}
        other = {"style": "photo", "photo": "style"}
        kept = {side: maps[other[side]] for side in SIDES}  # the landmarks that a fake of this side shall have
        fake = {side: to[side](torch.cat([real[other[side]], kept[side]], 1)) for side in SIDES}
        pairs = {side: torch.cat([fake[side], kept[side]], 1) for side in SIDES}
        back = {side: to[other[side]](pairs[side]) for side in SIDES}
        judges = [*self.players["D"], *(self.players["D_local"] if late else ())]
        with frozen(*map(self.get_submodule, judges), *(of("regressor", side) for side in SIDES)):
            found = {side: of("regressor", side)(fake[side]) for side in SIDES}
            terms = {
                "adversarial": c.plain * _sum(lsgan.g(of("discriminator", s)(self.augment(fake[s]))) for s in SIDES),
                "conditional": c.conditional * _sum(lsgan.g(of("conditional", s)(pairs[s])) for s in SIDES),
                "cycle": c.cycle * _sum(l1(back[side], real[other[side]]) for side in SIDES),
                "landmarks": c.consistency * _sum(landmark_consistency(found[s], kept[s]) for s in SIDES),
            }
            seen = {side: read_heatmaps(found[side].detach()) for side in SIDES}
            if late:
                cut = [(s, part, one) for s in SIDES for part, one in cut_patches(fake[s], seen[s]).items()]
                terms["local"] = c.local * _sum(lsgan.g(of(part, side)(patch)) for side, part, patch in cut)
        yield "G", terms

        terms = {}
        for side, pool in zip(SIDES, (self.pool_style, self.pool_photo), strict=True):
            shown = pool(pairs[side].detach())
            images = self.augment(real[side]), self.augment(shown[:, :3])
            terms[side] = lsgan.d(*forward_concatenated(of("discriminator", side), *images)) / 2
            told = torch.cat([real[side], maps[side]], 1), shown
            terms[f"{side}_conditional"] = lsgan.d(*forward_concatenated(of("conditional", side), *told)) / 2
        yield "D", terms

        if late:
            terms = {}
            for side in SIDES:
                true, made = cut_patches(real[side], points[side]), cut_patches(fake[side].detach(), seen[side])
                for part in PATCHES:
                    scores = forward_concatenated(of(part, side), true[part], made[part])
                    terms[f"{side}_{part}"] = lsgan.d(*scores) / 2
            yield "D_local", terms

    def of(self, kind: str, side: str) -> nn.Module:
        """A side's regressor, or one of its discriminators: of pictures, with landmarks (conditional), of a part."""
        return self.get_submodule(f"{kind}_{side}")

    @property
    def finished(self) -> dict[str, nn.Module]:
        """As of every system, and the regressors, by which users' faces are found; they may have been given."""
        return super().finished | {f"regressor_{side}": self.of("regressor", side) for side in SIDES}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½ for all players; regressors learn at five times the rate, as on their own."""
        rates = {"R": 5 * self.config.lr}
        return {
            p: torch.optim.Adam(self.weights(p), rates.get(p, self.config.lr), betas=(0.5, 0.999)) for p in self.players
        }

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    def artefact(self, network: str | None = None) -> Artefact:
        """A photo's faces as drawings; `inverse` takes the picture as it is, which must be a drawn face."""
        c, frame = self.config, None
        if network == "inverse":
            module = Assisted(self.inverse, self.of("regressor", "style"), c.sigma)
        else:
            module = Assisted(self.generator, self.of("regressor", "photo"), c.sigma)
            if c.template:
                frame = FaceFrame(tuple(zip(c.template[::2], c.template[1::2], strict=True)), c.crop)
        return Artefact(module, multiple=2**c.regressor_levels, frame=frame)


def _sum(values: Iterator[Tensor]) -> Tensor:
    return torch.stack([*values]).sum()
