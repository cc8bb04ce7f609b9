"""A gradient that several updates leave at one place, handed on to what made it by a later update."""

import torch
from torch import Tensor


class HandedOn:
    """A tensor cut off its graph: updates of other players use `leaf`, and `term` then brings their gradients to it.

    So a recurrent network can learn at the end of a sequence from losses of every step, while those who computed these
    losses have moved in between: nothing is differentiated twice.

    Args:
        value: the tensor, with its graph.

    Attributes:
        leaf: the same numbers, a beginning of graphs.
    """

    def __init__(self, value: Tensor):
        self.value, self.leaf = value, value.detach().requires_grad_()
        self._one = torch.ones((), dtype=value.dtype, device=value.device, requires_grad=True)
        self._losses = 0

    @property
    def share(self) -> Tensor:
        """A zero to be added once to each loss that uses the leaf: of parts of a batch the trainer takes a share."""
        self._losses += 1
        return self._one - 1

    def term(self, loss: Tensor) -> Tensor:
        """Return `loss` as a number, with the gradient that the leaf has been given; none before any update."""
        if self.leaf.grad is None or self._one.grad is None:
            return loss.detach() + 0 * self.value.sum()
        pulled = (self.value * self.leaf.grad).sum() * self._losses / self._one.grad
        return loss.detach() + pulled - pulled.detach()
