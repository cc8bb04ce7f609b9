"""FSGAN: one face moves as another does, for any two people (Nirkin, Keller, Hassner, ICCV 2019)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from sakuga.data.columns import Column, Derived, Noise
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.masks import Masks
from sakuga.data.pictures import Pictures
from sakuga.losses import content, l1, landmark_consistency, lsgan
from sakuga.networks.fsgan import FSGANGenerator, MultiScaleDiscriminator
from sakuga.networks.landmarks import LandmarkRegressor, draw_heatmaps, with_heatmaps
from sakuga.runtime.console import say
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, System, Terms, frozen
from sakuga.systems.fields import AtLeast, Count, MultipleOf, Role, Weight
from sakuga.systems.parts.domain_features import DomainFeatures
from sakuga.systems.parts.faces import LandmarkedConfig, load_regressor, read_landmarks
from sakuga.systems.parts.frames import cut_ellipses, hull_mask, other_frames
from sakuga.systems.parts.swapping import Blended, Completed, Reenacted, Task, reenact, to_blend, to_complete
from sakuga.systems.parts.trained import give, read_run

SCALES = 2
"""Sizes at which the discriminator looks; its scores are summed over them."""
HOLES = 2
"""Ellipses that are cut out of a face to be completed."""
REGRESSOR_LR = 1e-3
"""Learning rate of a regressor that learns on the way: that of `landmarks`."""


@dataclass
class FSGANConfig(LandmarkedConfig):
    """What `sakuga train fsgan` can be told; the official code's values for 128 pixels, by which a training begins."""

    photos: Annotated[tuple[Path, ...], Role("frames of faces", required=True)] = ()
    """Folders with a folder for each person, or each video: frames cut to the face, squares."""
    masks: Annotated[Path | None, Role("masks", of="name")] = None
    """Folder of gray pictures, white where the face is, for completion and blending; by default what the landmarks
    enclose, enlarged."""
    stage: Literal["reenactment", "completion", "blending"] = "reenactment"
    """What is learned: to move a face, to fill holes in it, or to fit it into a picture of another's."""
    crop: Annotated[int, AtLeast(32), MultipleOf(8)] = 128
    batch: Count = 24
    lr: Weight = 1e-4
    lr_discriminator: Weight = 1e-5
    """The discriminator's learning rate."""
    steps: Count = 20_000
    halve: Count = 8_333
    """Steps after which learning rates are halved, again and again: ten of the code's epochs."""
    perceptual: Weight = 1.0
    """Weight of the distance of features, half of it by each of both networks."""
    pixel: Weight = 0.1
    """Weight of the L1 distance."""
    adversarial: Weight = 0.001
    """Weight of the game; 0.1 for blending."""
    stepwise: Weight = 1.0
    """Weight of a reenactment in several steps, in the second half of a training; it grows to that in the first."""
    iterations: Count = 2
    """Steps of such a reenactment, in training and as users run it, along landmarks midway."""
    identity: Annotated[Path | None, Role("face recogniser", of="name")] = None
    """A run of `cam_classifier` on folders of people, whose features the losses compare; by default VGG-19's."""
    attributes: Annotated[Path | None, Role("attributes of faces", of="name")] = None
    """The same of one on attributes of faces."""
    features_weights: str | None = None
    """VGG-19's weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""
    reenactment: Annotated[Path | None, Role("reenactment", of="name")] = None
    """For blending: a run of fsgan that moves the other's face into the picture's pose; by default it is left as is."""
    points: Literal[5, 68] = 68
    """Landmarks of a face, as `sakuga prepare landmarks --points` finds them."""
    width: Annotated[int, AtLeast(2)] = 128
    """Channels of the generator at full size; half of it are the discriminators' first."""


class FSGAN(System):
    """Three generators, a training each, by one loss: L = λ_perc L_perc + λ_pix ‖y - ŷ‖₁ + λ_adv L_adv.

    L_perc = ½ Σ over two networks trained on faces of Σ_i w_i mean |F_i(y) - F_i(ŷ)|; L_adv by least squares of
    logistic scores, summed over two scales, D: half of both costs. Reenactment: ŷ = G(I_s, H(p_t)) of a frame of the
    same person and the target's landmarks as heat maps, + λ_step L_rec(G(G(I_s, H(½ p_s + ½ p_t)), H(p_t)), I_t).
    Completion: ŷ is made of the face with holes and its mask, y the face on black. Blending: of another's face, the
    picture and the mask; y is the Poisson blend of both.

    Landmarks midway are means, where the paper turns faces in space. When the stepwise term sets in, and the shape of
    holes, are ours: neither is known. The code normalises no picture for its networks; ours were trained with it.

    Source: Nirkin, Keller, Hassner, "FSGAN: Subject Agnostic Face Swapping and Reenactment", ICCV 2019, equations 1 to
    10; weights and sizes of the official code.
    """

    name = "fsgan"
    players = {"R": ["regressor"], "G": ["generator"], "D": ["discriminator"]}  # noqa: RUF012
    averaged = ()
    exportable = ("generator",)
    channels_last = False
    presets = {  # noqa: RUF012
        "fine": {"crop": 256, "batch": 12, "lr": 4e-5, "lr_discriminator": 4e-6, "steps": 83_000, "halve": 16_667},
        "completion": {"stage": "completion"},
        "blending": {"stage": "blending", "adversarial": 0.1},
    }
    Config = FSGANConfig
    config: FSGANConfig

    def __init__(self, config: FSGANConfig):
        super().__init__(config)
        c = config
        if c.stage == "reenactment":
            c.check_levels()
        channels = {"reenactment": 3 + c.points, "completion": 4, "blending": 7}
        self.generator = FSGANGenerator(channels[c.stage], width=c.width)
        self.discriminator = MultiScaleDiscriminator(width=c.width // 2)
        if c.stage == "reenactment":
            self.regressor = LandmarkRegressor(c.points, width=c.regressor_width, levels=c.regressor_levels)
        self.learned = c.stage == "reenactment" and c.regressor is None
        self.players = {p: names for p, names in type(self).players.items() if p != "R" or self.learned}
        self.features: DomainFeatures | None = None
        self.mover: FSGANGenerator | None = None

    def prepare(self) -> None:
        """Load the frozen networks, and tell what stands in for those that are not given."""
        c = self.config
        if self.learned:
            say("landmarks are learned on the way: no regressor was given")
        elif c.stage == "reenactment" and c.regressor:
            load_regressor(self.regressor, c.regressor, "--regressor", side=c.crop, sigma=c.sigma)
        if c.stage == "blending" and c.reenactment:
            state = read_run(c.reenactment, "--reenactment", "fsgan")
            self.mover = FSGANGenerator(3 + c.points, width=state["config"]["width"])
            give(self.mover, state["finished"]["generator"], c.reenactment, "--reenactment")
            self.mover.eval().requires_grad_(False)
        if c.perceptual:
            runs = {"--identity": c.identity, "--attributes": c.attributes}
            self.features = DomainFeatures(runs, weights=c.features_weights)

    def data(self) -> Dataset:
        """Frames and their landmarks, and what each stage needs besides: other frames, masks, holes."""
        c = self.config
        photos = Pictures(c.photos, short_side=c.crop)
        points = read_landmarks(photos, c.landmarks, "--landmarks", "--photos", count=c.points)
        columns: dict[str, Column] = {"target": photos, "points": points}
        if c.stage != "completion":
            others = other_frames(photos, points, c.crop, mirror=c.mirror, same=c.stage == "reenactment")
            columns |= zip(("source", "source_points"), others, strict=True)
        if c.stage != "reenactment":
            columns["mask"] = Masks(photos, c.masks) if c.masks else Derived(partial(hull_mask, c.crop), points)
        if c.stage == "completion":
            columns["holes"] = Noise(HOLES, 5, uniform=True)
        return Dataset(columns, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The regressor, if it learns; the generator; the discriminator on the same results."""
        c, target, points = self.config, batch["target"], batch["points"].to(batch["target"])
        if self.learned:
            maps = draw_heatmaps(points, (c.crop, c.crop), sigma=c.sigma)
            yield "R", {"heatmaps": landmark_consistency(self.regressor(target), maps)}

        given, wanted, real = self._task(batch)
        made = self.generator(given)
        with torch.no_grad():
            known = {} if self.features is None else self.features(wanted)
        with frozen(self.discriminator):
            fooled = SCALES * lsgan.g([score.sigmoid() for score in self.discriminator(made)])
        terms = {"adversarial": c.adversarial * fooled} | self._distance(made, wanted, known)
        growth = min(1.0, 2 * t / c.steps) if c.stage == "reenactment" else 0.0
        if weight := c.stepwise * growth:
            before = batch["source_points"].to(target)
            walked = reenact(self.generator, batch["source"], before, points, sigma=c.sigma, iterations=c.iterations)
            terms["stepwise"] = weight * torch.stack([*self._distance(walked, wanted, known).values()]).sum()
        yield "G", terms

        scores = [[score.sigmoid() for score in self.discriminator(one)] for one in (real, made.detach())]
        yield "D", {"adversarial": SCALES * lsgan.d(*scores) / 2}

    def _task(self, batch: Batch) -> Task:
        target, sigma = batch["target"], self.config.sigma
        if self.config.stage == "reenactment":
            return Task(with_heatmaps(batch["source"], batch["points"].to(target), sigma=sigma), target, target)
        mask = (batch["mask"].to(target) > 0.5).to(target)
        if self.config.stage == "completion":
            return to_complete(target, mask, cut_ellipses(mask, batch["holes"]))
        face = batch["source"]
        if self.mover is not None:
            with torch.no_grad():
                face = self.mover(with_heatmaps(face, batch["points"].to(target), sigma=sigma))
        return to_blend(face, target, mask)

    def _distance(self, made: Tensor, wanted: Tensor, known: dict[str, Tensor]) -> Terms:
        """The reconstruction loss, term by term; `known` are the features of what is wanted."""
        terms = {"pixel": self.config.pixel * l1(made, wanted)}
        if self.features is not None:
            seen = self.features(made)
            terms["perceptual"] = self.config.perceptual * content(seen, known, weights=self.features.weights)
        return terms

    @property
    def finished(self) -> dict[str, nn.Module]:
        """As of every system, and the regressor, by which users' faces are found; it may have been given."""
        return super().finished | ({"regressor": self.regressor} if self.config.stage == "reenactment" else {})

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½ for all players, the discriminator's and the regressor's rates their own."""
        rates = {"G": self.config.lr, "D": self.config.lr_discriminator, "R": REGRESSOR_LR}
        return {p: torch.optim.Adam(self.weights(p), rates[p], betas=(0.5, 0.999)) for p in self.players}

    def rate(self, t: int, player: str) -> float:
        """Halved again and again."""
        return float(0.5 ** (t // self.config.halve))

    def artefact(self, network: str | None = None) -> Artefact:
        """A picture of the crop's side and a second one: the driver, the mask, or the face to be fitted in."""
        c = self.config
        module: Reenacted | Completed | Blended
        if c.stage == "reenactment":
            module = Reenacted(self.generator, self.regressor, sigma=c.sigma, iterations=c.iterations)
        else:
            module = Completed(self.generator) if c.stage == "completion" else Blended(self.generator)
        return Artefact(module, (PICTURE, Input(module.second, "picture")), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """The first frames that are drawn, as users would give them."""
        batch = self.dataset.batch(0)
        given = self._task({name: values[:4] for name, values in batch.items()}).given
        match self.config.stage:
            case "reenactment":
                inputs = {"image": batch["source"][:4], "driver": batch["target"][:4]}
            case "completion":
                inputs = {"image": given[:, :3], "mask": 2 * given[:, 3:].expand(-1, 3, -1, -1) - 1}
            case "blending":
                inputs = {"image": given[:, 3:6], "face": given[:, :3]}
        return Preview(inputs, sample_squares(self.dataset.pictures("target"), count=64))
