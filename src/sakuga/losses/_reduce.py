from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor

Reduction = Literal["mean", "sum", "none"]


def reduce(per_sample: Tensor, reduction: Reduction) -> Tensor:
    """Reduce one value per sample, shape (N,), over the batch."""
    if reduction == "mean":
        return per_sample.mean()
    if reduction == "sum":
        return per_sample.sum()
    if reduction == "none":
        return per_sample
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")


def full(values: Tensor) -> Tensor:
    """Return the values in at least single precision."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def without_autocast(values: Tensor) -> AbstractContextManager[object]:
    """Compute in the precision of the values, whatever is set around."""
    device = values.device.type
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def each(values: Tensor) -> Tensor:
    """Average all that is inside a sample: (N, ...) to (N,). Half precision is left behind: a mean deserves better."""
    values = full(values)
    return values.flatten(1).mean(1) if values.ndim > 1 else values


def check(layout: str, same: bool = True, /, **tensors: Tensor) -> None:
    """Refuse tensors that are not floating or not of this layout, naming the argument.

    Args:
        layout: the shape as documented, such as "(N, C, H, W)"; a last "..." allows any further dimensions.
        same: all shapes must agree; otherwise only the number of samples.
        tensors: by argument name.

    Raises:
        TypeError: a tensor of integers.
        ValueError: a wrong number of dimensions, or shapes that differ.
    """
    wanted = layout.strip("()").split(", ")
    first = None
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise TypeError(f"{name} must be a floating tensor, not {tensor.dtype}")
        if tensor.ndim < len(wanted) - 1 if wanted[-1] == "..." else tensor.ndim != len(wanted):
            raise ValueError(f"{name} must have shape {layout}, not {tuple(tensor.shape)}")
        if first is not None:
            other = tensors[first]
            if same and tensor.shape != other.shape:
                raise ValueError(
                    f"{name} has shape {tuple(tensor.shape)}, but {first} has {tuple(other.shape)}; they must agree"
                )
            if len(tensor) != len(other):
                raise ValueError(f"{name} holds {len(tensor)} samples, but {first} {len(other)}; they must agree")
        first = first or name


def check_images(**images: Tensor) -> None:
    """Refuse tensors that are not floating (N, C, H, W) or whose shapes differ, naming the argument."""
    check("(N, C, H, W)", **images)
