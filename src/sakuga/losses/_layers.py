"""Features layer by layer: which belong together, and what their losses add up to."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, reduce

Features = Mapping[str, Tensor]
Weights = Mapping[str, float]


def matched(
    features: Mapping[Any, Tensor], target: Mapping[Any, Tensor], *, anywhere: bool = False, grams: bool = False
) -> Iterator[tuple[Any, Tensor, Tensor]]:
    """Yield the name and both tensors of each of the target's layers; refuse what does not fit, naming the argument.

    `anywhere`: the loss does not depend on places, so the target may be of another size, and one for the whole batch;
    `grams`: it may consist of Gram matrices.
    """
    if not target:
        raise ValueError("target names no layer")
    for layer, y in target.items():
        if layer not in features:
            raise ValueError(f"features lack the layer {layer!r}; they have {', '.join(map(str, features))}")
        x, here, there = features[layer], f"features[{layer!r}]", f"target[{layer!r}]"
        if not anywhere:
            check("(N, C, H, W)", **{here: x, there: y})
        else:
            check("(N, C, H, W)", **{here: x})
            check("(N, C, C)" if grams and y.ndim == 3 else "(N, C, H, W)", **{there: y})
            if len(y) not in (1, len(x)):
                raise ValueError(f"{there} holds {len(y)} samples, but {here} {len(x)}; it must hold as many, or one")
            if y.shape[1] != x.shape[1] or (y.ndim == 3 and y.shape[2] != x.shape[1]):
                raise ValueError(f"{there} has {y.shape[1]} channels, but {here} {x.shape[1]}; they must agree")
        yield layer, x, y


def total(terms: Mapping[Any, Tensor], weights: Mapping[Any, float] | None, reduction: Reduction) -> Tensor:
    """Σ_l w_l of the terms (N,) by layer, reduced over the batch; without weights each counts 1."""
    if weights is None:
        weights = dict.fromkeys(terms, 1.0)
    if weights.keys() != terms.keys():
        raise ValueError(f"weights name {', '.join(map(str, weights))}, but target {', '.join(map(str, terms))}")
    return reduce(torch.stack([weights[layer] * term for layer, term in terms.items()]).sum(0), reduction)


def named(values: Any) -> Mapping[Any, Any]:
    """Name the items of a list by their places; dictionaries stay as they are."""
    return values if isinstance(values, Mapping) else dict(enumerate(values))
