"""The contextual loss: features that resemble the exemplar's, wherever in the picture those may lie."""

from contextlib import nullcontext
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from sakuga.losses._layers import Features, Weights, matched, total
from sakuga.losses._reduce import Reduction

Side = Literal["target", "features"]


def contextual(
    features: Features,
    target: Features,
    *,
    bandwidth: float = 0.1,
    weights: Weights | None = None,
    over: Side = "target",
    center: Literal["positions", "channels"] = "positions",
    chunk: int | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Contextual loss Σ_l w_l · -log (1/n Σ_i max_j A_ij): every x_i should resemble one y_j more than the others.

    With x_i, y_j the features at positions i and j, less the mean of y and of unit length:

        d_ij = 1 - x_i·y_j,   d̄_ij = d_ij / (min_j d_ij + ε),   A_ij = exp((1 - d̄_ij) / h) / Σ_j exp((1 - d̄_ij) / h)

    Args:
        features: of the output, (N, C, H, W) by layer; pool large layers before.
        target: of the exemplar, of any size, or one (1, C, H, W) for the whole batch; no gradient flows into it.
        bandwidth: h.
        weights: w_l by layer, 1 by default.
        over: `target`: the maximum over the exemplar's positions j, mean over i, ε = 1e-3 (CoCosNet). `features`: the
            maximum over i, mean over j, ε = 1e-5 (the original).
        center: the mean of y that both sides lose: over its `positions` (both papers), or at each position over the
            `channels` (CoCosNet's code with PONO; sizes must agree, and the exemplar's arrangement then matters).
        chunk: positions i that are compared at a time; by default a sixteenth, fewer where maps are large.
        reduction: over the batch.

    The (H·W) × (H·W) map of a sample is never whole in memory, backwards neither: there its blocks are computed anew.
    Half-precision features are compared in single precision: 1 - cos has no digits left in bfloat16.

    Sources: Mechrez, Talmi, Zelnik-Manor, ECCV 2018, equations 1 to 5; Zhang, Zhang, Chen, Yuan, Wen, CVPR 2020
    (CoCosNet), L_context.
    """
    if over not in ("target", "features"):
        raise ValueError(f"over must be 'target' or 'features', not {over!r}")
    if center not in ("positions", "channels"):
        raise ValueError(f"center must be 'positions' or 'channels', not {center!r}")
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be positive, not {bandwidth}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk must be 1 or more, not {chunk}")
    terms = {}
    for layer, x, y in matched(features, target, anywhere=True):
        if center == "channels" and x.shape[2:] != y.shape[2:]:
            raise ValueError(f"target[{layer!r}] must be of size {tuple(x.shape[2:])} to center over the channels")
        x, y = _wide(x).flatten(2), _wide(y.detach()).flatten(2)
        mean = y.mean(2 if center == "positions" else 1, keepdim=True)
        x, y = F.normalize(x - mean, dim=1), F.normalize(y - mean, dim=1)
        block = min(max(x.shape[2] * y.shape[2] // 16, 2**12), 2**18)
        rows = chunk or max(1, block // y.shape[2])
        best: Tensor = _Blockwise.apply(x, y, bandwidth, over, rows)  # type: ignore[no-untyped-call]
        similarity = best if over == "target" else best.view(len(x), -1, y.shape[2]).amax(1)
        terms[layer] = -similarity.mean(1).log()
    return total(terms, weights, reduction)


def _best(x: Tensor, y: Tensor, bandwidth: float, over: Side) -> Tensor:
    """Largest affinities of positions x (N, C, rows) with all of y (N or 1, C, P): (N, rows), or of each y: (N, P)."""
    device = x.device.type
    with torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext():
        distance = 1 - x.mT @ y
    relative = distance / (bandwidth * (distance.amin(2, keepdim=True) + (1e-3 if over == "target" else 1e-5)))
    return F.softmin(relative, 2).amax(2 if over == "target" else 1)


class _Blockwise(torch.autograd.Function):
    """`_best` of some rows at a time, side by side; the gradient computes each block anew."""

    # Not torch.utils.checkpoint: what it keeps of every block lies between the freed maps and keeps malloc from using
    # their space again (1.6 GB instead of 40 MB for 128 × 128 positions).

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, bandwidth: float, over: Side, rows: int) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.options, ctx.rows = (bandwidth, over), rows
        blocks = torch.split(x, rows, 2)
        ctx.width = rows if over == "target" else y.shape[2]
        best = x.new_empty(len(x), x.shape[2] if over == "target" else len(blocks) * ctx.width)
        for k, block in enumerate(blocks):
            best[:, k * ctx.width : (k + 1) * ctx.width] = _best(block, y, *ctx.options)
        return best

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y = ctx.saved_tensors
        found = torch.empty_like(x)
        for k, rows in enumerate(torch.split(x, ctx.rows, 2)):
            block = rows.detach().requires_grad_()
            with torch.enable_grad():
                best = _best(block, y, *ctx.options)
            part = torch.autograd.grad(best, block, grad[:, k * ctx.width : (k + 1) * ctx.width])
            found[:, :, k * ctx.rows : (k + 1) * ctx.rows] = part[0]
        return found, None, None, None, None


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
