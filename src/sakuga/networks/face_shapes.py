"""The shapes of faces: landmarks as a few principal components."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

POINTS = 68
ROUNDS = 5
"""How often shapes are laid upon their mean to find it."""


class FaceShapes(nn.Module):
    """Landmarks (N, 68, 2) to codes (N, components) and back: principal components of shapes laid upon their mean.

    Before them a rotation, a scale and a shift are taken away (Procrustes). Codes are the components' coefficients in
    one common unit, in which their variances are 1 on average.

    Source: Cao, Liao, Yuan, "CariGANs: Unpaired Photo-to-Caricature Translation", TOG 2018, section 4.1: 32 components.
    """

    mean: Tensor
    basis: Tensor
    unit: Tensor

    def __init__(self, components: int = 32):
        super().__init__()
        self.register_buffer("mean", torch.zeros(POINTS, 2))
        self.register_buffer("basis", torch.zeros(components, 2 * POINTS))
        self.register_buffer("unit", torch.ones(()))

    @torch.no_grad()
    def fit(self, points: NDArray[np.floating]) -> None:
        """Learn mean and components of shapes (M, 68, 2); of fewer than there are components the last remain 0."""
        shapes = points.astype(np.float64) @ [1, 1j]
        shapes = shapes - shapes.mean(1, keepdims=True)
        mean = shapes.mean(0)
        for _ in range(ROUNDS):
            mean = mean / np.sqrt((abs(mean) ** 2).mean())
            factors = (shapes.conj() * mean).sum(1) / np.maximum((abs(shapes) ** 2).sum(1), 1e-12)
            aligned = shapes * factors[:, None]
            mean = aligned.mean(0)
        flat = np.stack([aligned.real, aligned.imag], -1).reshape(len(aligned), -1)
        directions = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][: len(self.basis)]
        self.mean.copy_(torch.from_numpy(flat.mean(0).reshape(POINTS, 2)))
        self.basis.zero_()
        self.basis[: len(directions)] = torch.from_numpy(directions)
        self.unit.fill_(1)
        codes = self(torch.from_numpy(points).to(self.mean))[0]
        self.unit.copy_((codes - codes.mean(0)).square().mean().sqrt().clamp_min(1e-6))

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes of landmarks in any unit, and the turns (N, 2, 2) that laid them upon the mean."""
        centred = points - points.mean(1, keepdim=True)
        x, y = centred[..., 0], centred[..., 1]
        energy = centred.square().sum((1, 2)).clamp_min(1e-12)
        along = (centred * self.mean).sum((1, 2)) / energy
        across = (x * self.mean[:, 1] - y * self.mean[:, 0]).sum(1) / energy
        turn = torch.stack([along, across, -across, along], 1).view(-1, 2, 2)
        codes = (centred @ turn - self.mean).flatten(1) @ self.basis.T / self.unit
        return codes, turn

    def move(self, points: Tensor, turn: Tensor, change: Tensor) -> Tensor:
        """Return landmarks (N, 68, 2) whose codes are changed by (N, components); what codes leave out stays."""
        shift = (self.unit * change @ self.basis).view(-1, POINTS, 2)
        squared = turn[:, 0].square().sum(1)[:, None, None].clamp_min(1e-12)
        moved: Tensor = points + shift @ turn.transpose(1, 2) / squared
        return moved
