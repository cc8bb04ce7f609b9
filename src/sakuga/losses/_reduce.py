from typing import Literal

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


def check_images(**images: Tensor) -> None:
    """Refuse tensors that are not floating (N, C, H, W) or whose shapes differ, naming the argument."""
    first = None
    for name, image in images.items():
        if image.ndim != 4:
            raise ValueError(f"{name} must have shape (N, C, H, W), not {tuple(image.shape)}")
        if not image.is_floating_point():
            raise TypeError(f"{name} must be a floating tensor, not {image.dtype}")
        if first is not None and image.shape != images[first].shape:
            raise ValueError(
                f"{name} has shape {tuple(image.shape)}, but {first} has {tuple(images[first].shape)}; they must agree"
            )
        first = first or name
