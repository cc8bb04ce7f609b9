"""CariGANs: faces exaggerated by their landmarks, and painted as caricatures are (Cao, Liao, Yuan, TOG 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.faces.frame import FaceFrame
from sakuga.faces.mesh import reduce
from sakuga.losses import characteristic, lsgan
from sakuga.networks.carigans import CariGANsPainter, CariGeoGenerator, CodeDiscriminator, LandmarkFinder
from sakuga.networks.face_shapes import POINTS
from sakuga.networks.thin_plate import move_points
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.autotoon import EXAGGERATION
from sakuga.systems.base import Batch, Preview, Update, frozen
from sakuga.systems.fields import AtLeast, Count, Role, Weight
from sakuga.systems.parts.faces import read_landmarks
from sakuga.systems.parts.munit import MUNIT, SIDES, MUNITConfig
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import load_sides

LARGER = 2
"""How many times larger than the crops faces may be drawn."""


@dataclass
class CariGANsConfig(MUNITConfig):
    """What `sakuga train carigans` can be told; λ_cha and λ_cyc are the paper's, the other values MUNIT's or ours."""

    style: Annotated[tuple[Path, ...], Role("caricatures", required=True)] = ()
    """Folders of caricatures."""
    landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """Folder of the photos' landmarks, side files of their names; by default beside the photos."""
    style_landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """The same of the caricatures."""
    crop: Annotated[int, AtLeast(64)] = 256
    load: Count = 264
    batch: Count = 1
    lr: Weight = 1e-4
    steps: Count = 120_000
    geometry: Annotated[int, AtLeast(0)] = 20_000
    """Steps at the beginning that learn the exaggeration; the others learn how caricatures are painted."""
    lr_geometry: Weight = 1e-3
    """Learning rate of the beginning."""
    shapes: Count = 64
    """Faces of which each of its steps sees the landmarks."""
    components: Count = 32
    """Numbers that the shape of a face is told by."""
    characteristic: Weight = 1.0
    """Weight of exaggerating what sets a person apart, λ_cha."""


class CariGANs(MUNIT):
    """CariGeoGAN exaggerates the landmarks of a face, CariStyGAN paints it, and a thin plate brings both together.

    L_geo = L_adv + λ_cyc ‖F(G(x)) - x‖₁ + λ_cha (1 - cos(x - x̄, G(x) - ȳ)) in both directions, x and y principal
    components of landmarks, the norm averaged. The appearance is MUNIT's, of photos and of caricatures that are warped
    to photos' shapes. So that a finished style needs no landmarks, a network learns to find them meanwhile.

    Source: Cao, Liao, Yuan, "CariGANs: Unpaired Photo-to-Caricature Translation", TOG 2018. No code is public: small
    networks, rates, lengths and weights of the appearance are not known to be the paper's; there are iBUG's 68
    landmarks in place of its 63, laid upon their mean, and both sides share their components.
    """

    name = "carigans"
    players = {  # noqa: RUF012
        "G_shape": ["geometry"],
        "D_shape": ["discriminator_photo_shape", "discriminator_style_shape"],
        "L": ["finder"],
        **MUNIT.players,
    }
    exportable = ("geometry",)
    Config = CariGANsConfig
    config: CariGANsConfig

    def __init__(self, config: CariGANsConfig):
        super().__init__(config)
        self.geometry = CariGeoGenerator(config.components)
        self.discriminator_photo_shape = CodeDiscriminator(config.components)
        self.discriminator_style_shape = CodeDiscriminator(config.components)
        self.finder = LandmarkFinder(max(1, config.width // 2))

    def data(self) -> Dataset:
        """Crops of either side with their landmarks, more landmarks, and looks; learns the shapes of faces."""
        c, found = self.config, []

        def many(t: int) -> int:
            return c.shapes if t < c.geometry else c.batch

        dataset = Dataset({f"{side}_look": Noise(c.look) for side in SIDES}, c)
        places = (("--photos", "--landmarks", c.landmarks), ("--style", "--style-landmarks", c.style_landmarks))
        for side, pictures, (beside, option, folder) in zip(SIDES, load_sides(c), places, strict=True):
            points = read_landmarks(pictures, folder, option, beside, count=POINTS)
            found.append(points.around_middles(mirror=c.mirror) / (c.crop - 1) * 2)
            dataset |= Dataset({side: pictures, f"{side}_points": points}, c, draw="picture")
            dataset |= Dataset({f"{side}_shapes": points}, c, draw="picture", batch=many)
        self.geometry.measure(*found)
        self.finder.mean.copy_(torch.from_numpy(found[0].mean(0)))
        return dataset

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """Shapes and landmarks first, appearance afterwards; landmarks in units of half the crop."""
        unit = (self.config.crop - 1) / 2
        units = {name: batch[name].to(batch["photo"]) / unit - 1 for name in batch if name[-6:] in ("points", "shapes")}
        if t < self.config.geometry:
            yield from self._exaggerate(*(self.geometry.shapes(units[f"{side}_shapes"])[0] for side in SIDES))
            yield "L", {"landmarks": (self.finder(batch["photo"]) - units["photo_points"]).abs().mean()}
            return
        points = units["style_points"]
        with torch.no_grad():
            plain = move_points(batch["style"], points, self.geometry.move(points, "photo").clamp(-1, 1))
        yield from self.paint({"photo": batch["photo"], "style": plain}, {s: batch[f"{s}_look"] for s in SIDES})

    def _exaggerate(self, x: torch.Tensor, y: torch.Tensor) -> Iterator[Update]:
        """One step of CariGeoGAN."""
        c, (x_mean, y_mean) = self.config, self.geometry.means
        d_x, d_y = self.discriminator_photo_shape, self.discriminator_style_shape
        xy, yx = self.geometry(x, "style"), self.geometry(y, "photo")
        back = (self.geometry(xy, "photo") - x).abs().mean() + (self.geometry(yx, "style") - y).abs().mean()
        apart = characteristic(x, xy, x_mean, y_mean) + characteristic(y, yx, y_mean, x_mean)
        with frozen(d_x, d_y):
            fooled = lsgan.g(d_y(xy)) + lsgan.g(d_x(yx))
        yield "G_shape", {"adversarial": fooled, "cycle": c.cycle * back, "characteristic": c.characteristic * apart}
        yield "D_shape", {"photo": lsgan.d(d_x(x), d_x(yx.detach())), "style": lsgan.d(d_y(y), d_y(xy.detach()))}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½; the networks that paint have MUNIT's weight decay, too."""
        made: dict[str, torch.optim.Optimizer] = {}
        for player in self.players:
            paints = player in MUNIT.players
            lr, decay = (self.config.lr, 1e-4) if paints else (self.config.lr_geometry, 0.0)
            made[player] = torch.optim.Adam(self.weights(player), lr, betas=(0.5, 0.999), weight_decay=decay)
        return made

    def rate(self, t: int, player: str) -> float:
        """Of each stage constant for its first half, then falling linearly."""
        c = self.config
        if player in MUNIT.players:
            return linear_decay(t - c.geometry, c.steps - c.geometry)
        return linear_decay(t, min(c.geometry, c.steps))

    def artefact(self, network: str | None = None) -> Artefact:
        """The photo's faces as caricatures, exaggerated as far as you like, in the look of a seed."""
        c = self.config
        template = (reduce(self.finder.mean.cpu().numpy(), 5) + 1) / 2 * (c.crop - 1)
        frame = FaceFrame(tuple((x, y) for x, y in template.tolist()), c.crop, max_side=LARGER * c.crop)
        appearance = self.network("encoder", "photo"), self.network("decoder", "style")
        painter = CariGANsPainter(self.geometry, self.finder, *appearance, c.crop)
        return Artefact(painter, (PICTURE, EXAGGERATION, Input("look", "noise", size=c.look)), multiple=4, frame=frame)

    def preview(self) -> Preview:
        """Four photos from all over the collection in one look each, and up to 64 caricatures."""
        shown = super().preview()
        count = len(shown.inputs["image"])
        looks = torch.randn(count, self.config.look, generator=torch.Generator().manual_seed(0))
        return Preview(shown.inputs | {"exaggeration": torch.ones(count), "look": looks}, shown.references)
