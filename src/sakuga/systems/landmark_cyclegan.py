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
from sakuga.networks.landmarks import LandmarkRegressor, draw_heatmaps, read_heatmaps
from sakuga.networks.patchgan import PatchGAN
from sakuga.networks.resnet import ResNetGenerator
from sakuga.runtime.console import say
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, Count, MoreThan, Role, Weight
from sakuga.systems.parts.faces import load_regressor, read_landmarks
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig, load_sides

SIDES = ("style", "photo")
PATCHES = {"eyes": (32, 32), "nose": (28, 24), "mouth": (23, 40)}
"""Height and width of what each local discriminator sees of a picture of 128 pixels; uncertain, from second hand."""
MIN_CROP = 64
"""Pixels below which the patches are too small for their discriminators."""


@dataclass
class LandmarkCycleGANConfig(UnpairedConfig):
    """What `sakuga train landmark_cyclegan` can be told; the paper has no public code, and its weights, patches and the
    length of its second stage are known from second hand alone."""

    crop: int = 128
    load: Count = 144
    batch: Count = 1
    lr: Weight = 2e-4
    steps: Count = 200_000
    first: Annotated[int, AtLeast(0)] = 100_000
    """Steps at the beginning without local discriminators."""
    landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """Folder of the photos' five landmarks, side files of their names; by default beside the photos."""
    style_landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """The same of the pictures of the style."""
    regressor: Annotated[Path | None, Role("landmark regressor", of="name")] = None
    """A run of `landmarks` on the photos; without it a regressor learns beside the generators."""
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
    sigma: Annotated[float, MoreThan(0)] = 2.5
    """Standard deviation of a landmark's spot in its heat map, pixels."""
    blocks: Annotated[int, AtLeast(0)] = 6
    """Residual blocks of the generators."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of generators' and discriminators' first layers."""
    regressor_width: Annotated[int, AtLeast(2)] = 16
    """Channels of the regressors' first level."""
    regressor_levels: Annotated[int, AtLeast(2)] = 5
    """How often the regressors halve a crop."""
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
        if c.crop < MIN_CROP or c.crop % 2**c.regressor_levels:
            raise UsageError(
                f"--crop {c.crop} must be {MIN_CROP} or more, and a multiple of {2**c.regressor_levels} with "
                f"--regressor-levels {c.regressor_levels}"
            )
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
            load_regressor(self.regressor(side), run, option, side=c.crop, sigma=c.sigma)
            self.regressor(side).requires_grad_(False)
        if self.learned:
            say(f"landmarks of {' and '.join(self.learned)} are learned on the way: no regressor was given")

    def data(self) -> Dataset:
        """Crops of either side, and the landmarks in them."""
        c = self.config
        photos, style = load_sides(c)
        points = read_landmarks(photos, c.landmarks, "--landmarks", "--photos", count=5)
        drawn = read_landmarks(style, c.style_landmarks, "--style-landmarks", "--style", count=5)
        if not c.template:
            margin = [(size - c.crop) / 2 for size in (c.short_side, c.short_side)]
            mean = torch.stack([torch.from_numpy(one) for one in points.points]).mean(0) - torch.tensor(margin)
            c.template = tuple(round(float(number), 2) for number in mean.flatten())
        first = Dataset({"photo": photos, "photo_points": points}, c, draw="picture")
        return first | Dataset({"style": style, "style_points": drawn}, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The regressors that learn, both generators, then all discriminators on the same fakes."""
        c = self.config
        late = t >= c.first
        real = {side: batch[side] for side in SIDES}
        points = {side: batch[f"{side}_points"].to(real[side]) for side in SIDES}
        maps = {side: draw_heatmaps(points[side], (c.crop, c.crop), sigma=c.sigma) for side in SIDES}
        if self.learned:
            yield "R", {s: landmark_consistency(self.regressor(s)(real[s]), maps[s]) for s in self.learned}

        to = {"style": self.generator, "photo": self.inverse}
        other = {"style": "photo", "photo": "style"}
        kept = {side: maps[other[side]] for side in SIDES}  # the landmarks that a fake of this side shall have
        fake = {side: to[side](torch.cat([real[other[side]], kept[side]], 1)) for side in SIDES}
        back = {side: to[other[side]](torch.cat([fake[side], kept[side]], 1)) for side in SIDES}
        with frozen(*map(self.get_submodule, self._discriminators(late)), *map(self.regressor, SIDES)):
            found = {side: self.regressor(side)(fake[side]) for side in SIDES}
            pairs = {side: torch.cat([fake[side], kept[side]], 1) for side in SIDES}
            terms = {
                "adversarial": c.plain * _sum(lsgan.g(self._plain(s)(self.augment(fake[s]))) for s in SIDES),
                "conditional": c.conditional * _sum(lsgan.g(self._conditional(s)(pairs[s])) for s in SIDES),
                "cycle": c.cycle * _sum(l1(back[side], real[other[side]]) for side in SIDES),
                "landmarks": c.consistency * _sum(landmark_consistency(found[s], kept[s]) for s in SIDES),
            }
            seen = {side: read_heatmaps(found[side].detach()) for side in SIDES}
            if late:
                patches = {side: cut_patches(fake[side], seen[side]) for side in SIDES}
                terms["local"] = c.local * _sum(
                    lsgan.g(self.get_submodule(f"{part}_{side}")(patches[side][part]))
                    for side in SIDES
                    for part in PATCHES
                )
        yield "G", terms

        terms = {}
        for side, pool in zip(SIDES, (self.pool_style, self.pool_photo), strict=True):
            shown = pool(pairs[side].detach())
            images = self.augment(real[side]), self.augment(shown[:, :3])
            terms[side] = lsgan.d(*forward_concatenated(self._plain(side), *images)) / 2
            told = torch.cat([real[side], maps[side]], 1), shown
            terms[f"{side}_conditional"] = lsgan.d(*forward_concatenated(self._conditional(side), *told)) / 2
        yield "D", terms

        if late:
            terms = {}
            for side in SIDES:
                true, made = cut_patches(real[side], points[side]), cut_patches(fake[side].detach(), seen[side])
                for part in PATCHES:
                    scores = forward_concatenated(self.get_submodule(f"{part}_{side}"), true[part], made[part])
                    terms[f"{side}_{part}"] = lsgan.d(*scores) / 2
            yield "D_local", terms

    def _discriminators(self, late: bool) -> list[str]:
        return [*self.players["D"], *(self.players["D_local"] if late else ())]

    def _plain(self, side: str) -> nn.Module:
        return self.get_submodule(f"discriminator_{side}")

    def _conditional(self, side: str) -> nn.Module:
        return self.get_submodule(f"conditional_{side}")

    def regressor(self, side: str) -> LandmarkRegressor:
        """The regressor of a side."""
        found = self.get_submodule(f"regressor_{side}")
        assert isinstance(found, LandmarkRegressor)
        return found

    @property
    def finished(self) -> dict[str, nn.Module]:
        """As of every system, and the regressors, by which users' faces are found; they may have been given."""
        return super().finished | {f"regressor_{side}": self.regressor(side) for side in SIDES}

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
        c = self.config
        back = network == "inverse"
        module = Assisted(
            self.inverse if back else self.generator, self.regressor("style" if back else "photo"), c.sigma
        )
        frame = None
        if not back and c.template:
            frame = FaceFrame(tuple(zip(c.template[::2], c.template[1::2], strict=True)), c.crop)
        return Artefact(module, multiple=self.regressor("photo").multiple, frame=frame)


class Assisted(nn.Module):
    """A generator that is told the landmarks which a regressor finds in the picture."""

    def __init__(self, generator: nn.Module, regressor: LandmarkRegressor, sigma: float):
        super().__init__()
        self.generator, self.regressor, self.sigma = generator, regressor, sigma

    def forward(self, image: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        points = read_heatmaps(self.regressor(image))
        maps = draw_heatmaps(points, (image.shape[2], image.shape[3]), sigma=self.sigma)
        result: Tensor = self.generator(torch.cat([image, maps], 1))
        return result


def cut_patches(image: Tensor, points: Tensor) -> dict[str, Tensor]:
    """Cut eyes (2N, 3, h, w), nose and mouth (N, 3, h, w) out of faces (N, 3, S, S) with five landmarks (N, 5, 2).

    Whole pixels, as in the paper; at the border patches are moved inside. The mouth is midway between its corners.
    """
    side = image.shape[2]
    centres = {"eyes": points[:, :2], "nose": points[:, 2:3], "mouth": points[:, 3:].mean(1, keepdim=True)}
    found = {}
    for part, size in PATCHES.items():
        height, width = (round(length * side / 128) for length in size)
        corner = centres[part] - torch.tensor([(width - 1) / 2, (height - 1) / 2]).to(points)
        limits = torch.tensor([side - width, side - height]).to(points)
        corners = torch.minimum(corner.round().clamp_min(0), limits).long().tolist()
        found[part] = torch.stack(
            [
                picture[:, top : top + height, left : left + width]
                for place in range(len(corners[0]))
                for picture, (left, top) in ((one, each[place]) for one, each in zip(image, corners, strict=True))
            ]
        )
    return found


def _sum(values: Iterator[Tensor]) -> Tensor:
    return torch.stack([*values]).sum()
