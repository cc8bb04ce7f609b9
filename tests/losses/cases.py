"""What the generic tests need to know of a loss, so that one set of them serves all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

IMAGE = (3, 6, 4)


@dataclass(frozen=True)
class Case:
    """One way of calling a loss.

    Attributes:
        name: the loss's name in `sakuga.losses`, `NAME.d` or `NAME.g` for a half of a pair, then, after a space, what
            is special about this call.
        loss: called with the tensors and `reduction=`.
        shapes: of one sample, by argument; these arguments are floating tensors of values in [-1, 1].
        chosen: arguments that are something else (labels, masks, probabilities), by argument: a function of the
            number of samples and a generator. They follow those of `shapes` in the call and get no gradient.
        constant: arguments of `shapes` into which, by definition, no gradient flows.
        zero: equal tensors score zero, and nothing scores less.
        mixes: the definition takes statistics over the batch, so a sample alone may score otherwise.
        any_shape: arguments may have any shape whose first dimension is the batch.
        kinks: not differentiable at the random points of the test (a hard choice): no gradient check there.
    """

    name: str
    loss: Callable[..., Tensor]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"image": IMAGE, "target": IMAGE})
    chosen: Mapping[str, Callable[[int, torch.Generator], Tensor]] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    zero: bool = False
    mixes: bool = False
    any_shape: bool = False
    kinks: bool = False

    @property
    def function(self) -> str:
        """The name in `sakuga.losses` that this case tests."""
        return self.name.split()[0].split(".")[0]

    def tensors(self, n: int = 3, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> list[Tensor]:
        """Make the arguments, in the order of the call."""
        chance = torch.Generator().manual_seed(seed)
        floats = [
            torch.rand(n, *shape, generator=chance, dtype=torch.float64) * 2 - 1 for shape in self.shapes.values()
        ]
        return [f.to(dtype) for f in floats] + self.others(n)

    def others(self, n: int = 3) -> list[Tensor]:
        """Make the `chosen` arguments alone."""
        chance = torch.Generator().manual_seed(1)
        return [make(n, chance) for make in self.chosen.values()]


def images(n: int = 3, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Random images (N, 3, 6, 4) in [-1, 1]."""
    return torch.rand(n, *IMAGE, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def features(x: Tensor) -> dict[str, Tensor]:
    """Two layers of features, the deeper one half as large."""
    return {"a": x, "b": x[..., ::2, ::2] ** 2}
