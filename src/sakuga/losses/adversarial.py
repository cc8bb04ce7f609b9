"""What a discriminator D and a generator G minimise, given D's raw scores (any shape, batch first, no sigmoid).

Each objective is a matched pair, so the two halves cannot be mixed up: `lsgan.d(real, fake)`, `lsgan.g(fake)`.
A score map is averaged inside its sample before the batch is reduced.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, each, reduce


class Adversarial:
    """A matched pair of objectives from elementwise costs of raw scores.

    Args:
        real: cost of a real score to D.
        fake: cost of a fake score to D.
        fool: cost of a fake score to G.
    """

    def __init__(
        self, real: Callable[[Tensor], Tensor], fake: Callable[[Tensor], Tensor], fool: Callable[[Tensor], Tensor]
    ):
        self._real, self._fake, self._fool = real, fake, fool

    def d(self, real: Tensor, fake: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """What D minimises, given scores (N, ...) of real and of fake images."""
        check("(N, ...)", False, real=real, fake=fake)
        return reduce(each(self._real(real)) + each(self._fake(fake)), reduction)

    def g(self, fake: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given scores (N, ...) of its images."""
        check("(N, ...)", fake=fake)
        return reduce(each(self._fool(fake)), reduction)


lsgan = Adversarial(
    real=lambda score: (score - 1).square(),
    fake=lambda score: score.square(),
    fool=lambda score: (score - 1).square(),
)
"""D: E (D(x) - 1)² + E D(G)²; G: E (D(G) - 1)².

Mao et al., ICCV 2017, equation 2 with a = 0, b = c = 1, without the halves.
"""

hinge = Adversarial(
    real=lambda score: F.relu(1 - score),
    fake=lambda score: F.relu(1 + score),
    fool=lambda score: -score,
)
"""D: E max(0, 1 - D(x)) + E max(0, 1 + D(G)); G: -E D(G).

Lim and Ye, 2017; Miyato et al., ICLR 2018, equations 16 and 17.
"""
