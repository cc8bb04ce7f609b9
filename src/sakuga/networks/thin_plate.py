"""Thin-plate splines: the smoothest warp that brings some points of a picture to other places."""

import torch
from torch import Tensor

from sakuga.networks.autotoon import enlarge_warp, warp_picture

STIFFNESS = 1e-3
"""λ: how far points may be missed for smoothness; without any, two that meet would tear the plate."""
ROUNDS = 24
"""Of the inversion: each squares what the inverse is wrong by."""
GRID = 64
"""Places in a row at which the spline is computed; between them it is taken for a plane."""


def thin_plate(places: Tensor, shifts: Tensor, at: Tensor, *, stiffness: float = STIFFNESS) -> Tensor:
    """Return the displacements (N, M, 2), at places `at` (M, 2), of the plate that is moved by `shifts` at `places`.

    Both (N, K, 2), in units of half the picture, whose corners are at -1 and 1; three of them do not move. The spline
    is Σ_k w_k K(x, p_k) with (K + λI) w = shifts. K is the kernel r² log r less what vanishes at the three corners,
    which makes it positive definite. Computed in double precision: in single one, shifts are wrong by up to 1e-3.

    Source: Duchon, "Splines minimizing rotation-invariant semi-norms in Sobolev spaces", 1977; Bookstein, PAMI 1989.
    """
    if places.dtype != torch.double and places.device.type != "mps":  # which has no doubles
        doubles = places.double(), shifts.double(), at.double()
        return thin_plate(*doubles, stiffness=stiffness).to(places.dtype)
    matrix = _kernel(places, places)
    matrix = matrix + stiffness * torch.eye(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    displaced: Tensor = _kernel(at.expand(len(places), -1, -1), places) @ solve_positive(matrix, shifts)
    return displaced


def solve_positive(matrix: Tensor, right: Tensor) -> Tensor:
    """Solve A x = b for symmetric positive definite A (N, K, K) and b (N, K, M), by the inverse X ← 2X - XAX.

    It has no pivots and few operations, for style files. Good for conditions up to some 2^ROUNDS / 10; what rounding
    leaves in X is taken away in three corrections of x. Source: Schulz, 1933.
    """
    unit = torch.eye(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    inverse = unit / matrix.abs().sum(2).amax(1)[:, None, None]
    for _ in range(ROUNDS):
        inverse = 2 * inverse - inverse @ matrix @ inverse
    solution = inverse @ right
    for _ in range(3):
        solution = solution + inverse @ (right - matrix @ solution)
    return solution


def move_points(image: Tensor, points: Tensor, moved: Tensor) -> Tensor:
    """Warp pictures (N, 3, H, W) so that `points` (N, K, 2) come to lie where `moved` says; units as above.

    The picture's corners and the middles of its sides stay.
    """
    pins = torch.tensor([[1, 1], [0, -1], [0, 1], [-1, 0], [1, 0]], dtype=image.dtype, device=image.device)
    before, places = (torch.cat([some, pins.expand(len(some), -1, -1)], 1) for some in (points, moved))
    shifts = before - places
    line = torch.linspace(-1, 1, GRID, dtype=image.dtype, device=image.device)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1)
    warp = thin_plate(places, shifts, grid).transpose(1, 2).reshape(-1, 2, GRID, GRID)
    return warp_picture(image, enlarge_warp(warp, (image.shape[2], image.shape[3])))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """r² log r between (N, A, 2) and (N, B, 2), less its planes through the corners (-1, -1), (1, -1) and (-1, 1)."""
    corners = torch.tensor([[-1, -1], [1, -1], [-1, 1]], dtype=x.dtype, device=x.device).expand(len(x), -1, -1)
    of_x, of_y = _planes(x), _planes(y)
    kernel: Tensor = (
        _radial(x, y)
        - of_x @ _radial(corners, y)
        - (of_y @ _radial(corners, x)).transpose(1, 2)
        + of_x @ _radial(corners, corners) @ of_y.transpose(1, 2)
    )
    return kernel


def _radial(x: Tensor, y: Tensor) -> Tensor:
    squared = (x[:, :, None] - y[:, None]).square().sum(3)
    return squared * squared.clamp_min(1e-12).log() / 2


def _planes(x: Tensor) -> Tensor:
    """The three planes that are 1 at one of the corners and 0 at the others."""
    right, down = (x[..., 0] + 1) / 2, (x[..., 1] + 1) / 2
    return torch.stack([1 - right - down, right, down], -1)
