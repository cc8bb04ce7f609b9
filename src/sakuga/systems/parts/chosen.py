"""Means of some samples of a batch: those whose dialogue goes on, or whose exemplar is their own."""

from torch import Tensor


def mean_of(values: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the values (N,) of the chosen samples, (N,) of bool or of 0 and 1; 0 where none is."""
    return (values * chosen).sum() / chosen.sum().clamp_min(1)
