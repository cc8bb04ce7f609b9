"""CariGANs: the networks that exaggerate the shapes of faces, and all of them together as users run them."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sakuga.networks.autotoon import at_side
from sakuga.networks.face_shapes import POINTS, FaceShapes
from sakuga.networks.resnet18 import ResNet18
from sakuga.networks.thin_plate import move_points
from sakuga.networks.unet import per_picture

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


class CariGeoGenerator(nn.Module):
    """Codes of a photo's landmarks to those of a caricature's, and back, by fully connected layers.

    The paper does not say how wide these are: here three of `width` units with leaky slopes, and a linear one.

    Attributes:
        shapes: makes codes of landmarks.
        means: the mean codes of photos and of caricatures, (2, components).
    """

    means: Tensor

    def __init__(self, components: int = 32, width: int = 128):
        super().__init__()
        self.shapes = FaceShapes(components)
        self.maps = nn.ModuleDict({to: _layers(components, width, components) for to in ("style", "photo")})
        self.register_buffer("means", torch.zeros(2, components))

    def forward(self, codes: Tensor, to: str) -> Tensor:
        """Codes (N, components) to those of the other side, `style` or `photo`."""
        changed: Tensor = self.maps[to](codes)
        return changed

    @torch.no_grad()
    def measure(self, photo: NDArray[np.floating], style: NDArray[np.floating]) -> None:
        """Learn components and means of the landmarks (M, 68, 2) of either side."""
        self.shapes.fit(np.concatenate([photo, style]))
        for mean, points in zip(self.means, (photo, style), strict=True):
            mean.copy_(self.shapes(torch.as_tensor(points, dtype=mean.dtype))[0].mean(0))

    def move(self, points: Tensor, to: str, times: Tensor | float = 1.0) -> Tensor:
        """Exaggerate landmarks (N, 68, 2), or take that back, `times` (N, 1) as far as was learned."""
        codes, turn = self.shapes(points)
        return self.shapes.move(points, turn, times * (self.maps[to](codes) - codes))


class CodeDiscriminator(nn.Module):
    """Codes (N, components) to raw scores (N, 1), by layers as the generator's."""

    def __init__(self, components: int = 32, width: int = 128):
        super().__init__()
        self.body = _layers(components, width, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """Score; no sigmoid."""
        score: Tensor = self.body(codes)
        return score


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for size in (inputs, width, width):
        layers += [nn.Linear(size, width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class LandmarkFinder(nn.Module):
    """Where a face in a square (N, 3, S, S) has its landmarks, (N, 68, 2) in units of half the square.

    A ResNet-18 that begins by saying `mean`, which is where faces have them on average. Its norms are of the picture:
    CariGANs train on one at a time, and a batch norm's running statistics are then of no use to the finished network.
    """

    mean: Tensor

    def __init__(self, width: int = 32):
        super().__init__()
        network = ResNet18(2 * POINTS, width=width)
        nn.init.normal_(network.fc.weight, 0.0, 1e-3)
        nn.init.zeros_(network.fc.bias)
        self.network = per_picture(network)
        self.register_buffer("mean", torch.rand(POINTS, 2) - 0.5)

    def forward(self, image: Tensor) -> Tensor:
        """Find them."""
        points: Tensor = self.mean + self.network(image).logits.view(-1, POINTS, 2)
        return points

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Leave out the running statistics that earlier versions kept."""
        for name in [name for name in state_dict if name.startswith(prefix) and name.endswith(STATISTICS)]:
            del state_dict[name]
        super()._load_from_state_dict(state_dict, prefix, *args)


class CariGANsPainter(nn.Module):
    """A photo of a face to a caricature: painted in a look, then warped as its landmarks are exaggerated.

    `finder` is shown the photo at `side` pixels.
    """

    def __init__(
        self,
        geometry: CariGeoGenerator,
        finder: LandmarkFinder,
        encoder: nn.Module,
        decoder: nn.Module,
        side: int,
    ):
        super().__init__()
        self.geometry, self.finder, self.encoder, self.decoder = geometry, finder, encoder, decoder
        self.side = side

    def forward(self, image: Tensor, exaggeration: Tensor, look: Tensor) -> Tensor:
        """Draw (N, 3, H, W) in [-1, 1]; an exaggeration (N,) of 0 leaves the shapes, a look is (N, S)."""
        points = self.finder(at_side(image, self.side))
        moved = self.geometry.move(points, "style", exaggeration[:, None])
        painted = self.decoder(self.encoder(image).content, look)
        return move_points(painted, points.clamp(-1, 1), moved.clamp(-1, 1))
