"""Cartoon faces of several groups, most with few examples (Zhuang, Yang, ICME 2021)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor

from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import cam_discriminator, cam_generator, face_id, group_classification, l1, lsgan
from sakuga.networks.mobilefacenet import MobileFaceNet, cut_face
from sakuga.networks.photo2cartoon import GroupDiscriminator, GroupGenerator
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, Terms, frozen
from sakuga.systems.fields import AtLeast, Count, Role, Weight, check_places
from sakuga.systems.parts.groups import GroupTranslation, copy_branch, find_groups
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.trained import read_recogniser
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig

DISCRIMINATORS = (
    "discriminator_style",
    "discriminator_style_local",
    "discriminator_photo",
    "discriminator_photo_local",
)


@dataclass
class GroupFacesConfig(UnpairedConfig):
    """What `sakuga train group_faces` can be told; values are the official code's. Either side has a folder a group."""

    batch: Count = 1
    lr: Weight = 1e-4
    steps: Count = 300_000
    first: Count = 200_000
    """Steps at the beginning that learn the base group alone."""
    base: str = ""
    """The group with the most examples, which the others begin from; found by counting."""
    groups: tuple[str, ...] = ()
    """Names of the groups; those of the folders."""
    cycle: Weight = 50.0
    """Weight of the cycle consistency."""
    identity: Weight = 10.0
    """Weight of the identity term."""
    cam: Weight = 1000.0
    """Weight of the generators' own classification of what they are given, half of it for either direction."""
    group: Weight = 1.0
    """Weight of the group of a face, which the discriminators name."""
    objective: Literal["ce", "mse"] = "ce"
    """Of the groups: `ce`, the paper's cross-entropy, or `mse`, the official code's squared errors."""
    recogniser: Annotated[Path | None, Role("face recogniser", of="name")] = None
    """Weights of MobileFaceNet, by which the person is kept; without them that term is left out."""
    face: Weight = 1.0
    """Weight of the person, where there is a recogniser."""
    decay: Weight = 1e-4
    """Weight decay of all players."""
    light: bool = True
    """Compute the style from averaged features; otherwise from every place, with 67 million parameters more."""
    width: Annotated[int, AtLeast(4)] = 32
    """Channels of every network's first layer."""
    hourglass: Count = 4
    """How often each hourglass halves what it sees; fewer for smaller crops."""
    layers: Annotated[tuple[int, int], AtLeast(3)] = (7, 5)
    """Depth of the global and the local discriminators."""


class GroupFaces(Unpaired):
    """Translators of several groups of faces that share their middle; a group with few examples learns its ends alone.

    First the base group alone is learned, as U-GAT-IT learns. Then the others begin as copies of its ends, and every
    step has three updates: the discriminators, on all groups; all that the base group uses, on its loss; the other
    groups' ends alone, on theirs, with the group that the discriminators shall see. Losses: least squares on scores and
    CAM logits, cycle, identity, CAM, 1 - cos of a face recogniser's vectors, and -log D(group | picture).

    Source: Zhuang, Yang, "Few-shot Knowledge Transfer for Fine-grained Cartoon Face Generation", ICME 2021; weights as
    in the official code, of the generators' groups a quarter of the sum over four discriminators. Its last update goes
    back through a graph that the one before has changed: here it is computed anew.
    """

    name = "group_faces"
    players = {"D": list(DISCRIMINATORS), "G": [], "S": []}  # noqa: RUF012
    averaged = ()
    exportable = ("generator", "inverse")
    channels_last = False
    Config = GroupFacesConfig
    config: GroupFacesConfig

    def __init__(self, config: GroupFacesConfig):
        super().__init__(config)
        c = config
        multiple, least = 2 ** max(2, c.hourglass), max(2 ** (c.hourglass + 1), 3 * 2 ** (max(c.layers) - 2))
        if c.crop % multiple or c.crop < least:
            raise UsageError(
                f"--crop {c.crop} must be a multiple of {multiple}, at least {least}, "
                f"with --hourglass {c.hourglass} --layers {c.layers[0]} {c.layers[1]}"
            )
        if not c.groups:
            check_places(c)
            c.groups, base = find_groups(c.photos, c.style)
            c.base = c.base or base
        if c.base not in c.groups:
            raise UsageError(f"--base {c.base} is no group: choose one of {', '.join(c.groups)}")
        self.generator, self.inverse = (
            GroupGenerator(c.groups, width=c.width, light=c.light, side=c.crop, levels=c.hourglass) for _ in "ab"
        )
        for name in DISCRIMINATORS:
            depth = c.layers[name.endswith("local")]
            self.add_module(name, GroupDiscriminator(len(c.groups), width=c.width, layers=depth))
        ends = [f"{way}.{end}" for way in ("generator", "inverse") for end in ("entry", "exit")]
        self.others = [group for group in c.groups if group != c.base]
        self.players = {
            "D": list(DISCRIMINATORS),
            "G": ["generator.shared", "inverse.shared", *(f"{end}.{c.base}" for end in ends)],
        } | ({"S": [f"{end}.{group}" for group in self.others for end in ends]} if self.others else {})
        self.recogniser: MobileFaceNet | None = None

    def prepare(self) -> None:
        """Load the face recogniser, if there is one."""
        if self.config.recogniser is not None:
            self.recogniser = read_recogniser(self.config.recogniser)

    def data(self) -> Dataset:
        """Crops of either side of every group."""
        c = self.config
        parts = [
            Dataset({f"{side}_{group}": Pictures([folder / group for folder in folders], short_side=c.short_side)}, c)
            for group in c.groups
            for side, folders in (("photo", c.photos), ("style", c.style))
        ]
        return reduce(or_, parts)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """The discriminators on all groups that are learned, the base group, then the others."""
        c, late = self.config, t >= self.config.first
        if t == c.first:
            for network in (self.generator, self.inverse):
                copy_branch(network, c.base, self.others)
        sums: dict[str, list[Tensor]] = {name: [] for name in (*DISCRIMINATORS, *(["groups"] if late else []))}
        for group in c.groups if late else [c.base]:
            x, y = batch[f"photo_{group}"], batch[f"style_{group}"]
            with torch.no_grad():
                fake_y, fake_x = self.generator(x, group)[0], self.inverse(y, group)[0]
            for name in DISCRIMINATORS:
                pair = (y, fake_y) if "style" in name else (x, fake_x)
                real, fake = (self.get_submodule(name)(self.augment(one)) for one in pair)
                sums[name].append(lsgan.d(real[0], fake[0]) + cam_discriminator.d(real[1], fake[1]))
                if late:
                    sums["groups"].append(self._classes(real[2], group))
        terms = {name.removeprefix("discriminator_"): torch.stack(found).sum() for name, found in sums.items()}
        yield "D", terms | ({"groups": c.group * terms["groups"]} if late else {})

        yield "G", self._translate(batch, c.base)
        self._clip()
        if late and self.others:
            found_all = [self._translate(batch, group, named=True) for group in self.others]
            yield "S", {name: torch.stack([found[name] for found in found_all]).sum() for name in found_all[0]}
            self._clip()

    def _translate(self, batch: Batch, group: str, *, named: bool = False) -> Terms:
        """What the translators of a group minimise; with `named`, the discriminators' group too."""
        c, x, y = self.config, batch[f"photo_{group}"], batch[f"style_{group}"]
        (fake_y, cam_x), (fake_x, cam_y) = self.generator(x, group), self.inverse(y, group)
        (same_y, cam_same_y), (same_x, cam_same_x) = self.generator(y, group), self.inverse(x, group)
        judges = {name: self.get_submodule(name) for name in DISCRIMINATORS}
        with frozen(*judges.values()):
            seen = [judge(self.augment(fake_y if "style" in name else fake_x)) for name, judge in judges.items()]
        terms = {
            "adversarial": torch.stack([lsgan.g(scores) + cam_discriminator.g(cam) for scores, cam, _ in seen]).sum(),
            "cycle": c.cycle * (l1(self.inverse(fake_y, group)[0], x) + l1(self.generator(fake_x, group)[0], y)),
            "identity": c.identity * (l1(same_y, y) + l1(same_x, x)),
            "cam": c.cam / 2 * (cam_generator(cam_x, cam_same_y) + cam_generator(cam_y, cam_same_x)),
        }
        if self.recogniser is not None:
            pairs = ((fake_y, x), (fake_x, y))
            told = [[self.recogniser(cut_face(one)) for one in pair] for pair in pairs]
            terms["face"] = c.face * torch.stack([face_id(*pair) for pair in told]).sum()
        if named:
            terms["groups"] = c.group / 4 * torch.stack([self._classes(logits, group) for _, _, logits in seen]).sum()
        return terms

    def _classes(self, logits: Tensor, group: str) -> Tensor:
        labels = torch.full((len(logits),), self.config.groups.index(group), device=logits.device)
        return group_classification(logits, labels, form=self.config.objective)

    def _clip(self) -> None:
        self.generator.shared.clip()
        self.inverse.shared.clip()

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½ and L2 regularisation for all players."""
        c = self.config
        return {
            p: torch.optim.Adam(self.weights(p), c.lr, betas=(0.5, 0.999), weight_decay=c.decay) for p in self.players
        }

    def fresh(self, t: int) -> tuple[str, ...]:
        """The second stage is a training of its own."""
        return tuple(self.players) if t == self.config.first else ()

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half of either stage, then falling linearly."""
        c = self.config
        return linear_decay(t, c.first) if t < c.first else linear_decay(t - c.first, c.steps - c.first)

    def artefact(self, network: str | None = None) -> Artefact:
        """Portraits of the crop's size to cartoons, or back, with the group as a choice."""
        c = self.config
        module = GroupTranslation(self.get_submodule(network or "generator"), c.groups)
        group = Input("group", "choice", names=c.groups, default=c.base)
        return Artefact(module, (PICTURE, group), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Four photos of the base group as each group, and its cartoons."""
        base, count = self.config.base, len(self.config.groups)
        photos, style = (self.dataset.pictures(f"{side}_{base}") for side in ("photo", "style"))
        shown = sample_squares(photos, size=self.config.crop)
        rows = torch.eye(count).repeat_interleave(len(shown), 0)
        inputs = {"image": shown.repeat(count, 1, 1, 1), "group": rows}
        return Preview(inputs, sample_squares(style, count=64), rows=count)
