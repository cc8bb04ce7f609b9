"""What a discriminator D and a generator G minimise, given D's raw scores (any shape, batch first, no sigmoid).

Each objective is a matched pair, so the two halves cannot be mixed up: `lsgan.d(real, fake)`, `lsgan.g(fake)`.
A score map is averaged inside its sample before the batch is reduced; a list of scores, one for each scale or head of
D, is averaged over the list. No objective carries a factor of its own: halve D's loss in the system where the paper
or its code does (CycleGAN, pix2pix).
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, each, reduce

Scores = Tensor | Sequence[Tensor]


class Adversarial:
    """A matched pair of objectives from elementwise costs of raw scores.

    Scores are (N, ...), or a list of such tensors. All methods raise TypeError for integers and ValueError for scores
    without a batch, lists that are empty or of different lengths, and batches that differ; each names the argument.

    Args:
        real: cost of a real score to D.
        fake: cost of a fake score to D.
        fool: cost of a fake score to G.
        about: the pair's own docstring.
    """

    def __init__(
        self,
        real: Callable[[Tensor], Tensor],
        fake: Callable[[Tensor], Tensor],
        fool: Callable[[Tensor], Tensor],
        about: str,
    ):
        self._real, self._fake, self._fool = real, fake, fool
        self.__doc__ = about

    def d(self, real: Scores, fake: Scores, *, reduction: Reduction = "mean") -> Tensor:
        """What D minimises, given scores of real and of fake images: `real(real) + fake(fake)`."""
        r, f = heads(real=real, fake=fake)
        return reduce(average(self._real, r) + average(self._fake, f), reduction)

    def g(self, fake: Scores, *, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given scores of its images."""
        (f,) = heads(fake=fake)
        return reduce(average(self._fool, f), reduction)

    def real(self, scores: Scores, *, reduction: Reduction = "mean") -> Tensor:
        """D's cost of images that it should call real."""
        (s,) = heads(scores=scores)
        return reduce(average(self._real, s), reduction)

    def fake(self, scores: Scores, *, reduction: Reduction = "mean") -> Tensor:
        """D's cost of images that it should call fake: also CartoonGAN's and AnimeGAN's edge-smoothed ones."""
        (s,) = heads(scores=scores)
        return reduce(average(self._fake, s), reduction)


bce = Adversarial(
    real=lambda score: F.softplus(-score),
    fake=F.softplus,
    fool=lambda score: F.softplus(-score),
    about="""D: -E log σ(D(x)) - E log(1 - σ(D(G))); G: -E log σ(D(G)), non-saturating.

Goodfellow et al., NeurIPS 2014, equation 1 and the remark after it; -log σ(s) = log(1 + e⁻ˢ) = softplus(-s).
""",
)

bce_saturating = Adversarial(
    real=lambda score: F.softplus(-score),
    fake=F.softplus,
    fool=lambda score: -F.softplus(score),
    about="""D as in `bce`; G: E log(1 - σ(D(G))), the literal minimax game, whose gradient vanishes where D is sure.

Goodfellow et al., NeurIPS 2014, equation 1.
""",
)


def least_squares(*, a: float = 0.0, b: float = 1.0, c: float = 1.0, about: str | None = None) -> Adversarial:
    """D: E (D(x) - b)² + E (D(G) - a)²; G: E (D(G) - c)²: a is a fake to D, b real to D, c a fake to G.

    `about` is the pair's docstring, this one by default. Source: Mao et al., ICCV 2017, equation 2, without the paper's
    factor 1/2 before every term.
    """
    return Adversarial(
        real=lambda score: (score - b).square(),
        fake=lambda score: (score - a).square(),
        fool=lambda score: (score - c).square(),
        about=about or str(least_squares.__doc__),
    )


lsgan = least_squares(
    about="""D: E (D(x) - 1)² + E D(G)²; G: E (D(G) - 1)²; Mao et al., ICCV 2017, see `least_squares`.""",
)

lsgan_pearson = least_squares(
    a=-1.0,
    b=1.0,
    c=0.0,
    about="""D: E (D(x) - 1)² + E (D(G) + 1)²; G: E D(G)².

With b - c = 1 and b - a = 2 G minimises the Pearson χ² divergence (Mao et al., ICCV 2017, section 3.2).
""",
)

wgan = Adversarial(
    real=lambda score: -score,
    fake=lambda score: score,
    fool=lambda score: -score,
    about="""D: E D(G) - E D(x); G: -E D(G). D must be kept 1-Lipschitz: `clip_weights` or `gradient_penalty`.

-D's loss estimates the Wasserstein distance. Arjovsky, Chintala, Bottou, ICML 2017, algorithm 1.
""",
)

hinge = Adversarial(
    real=lambda score: F.relu(1 - score),
    fake=lambda score: F.relu(1 + score),
    fool=lambda score: -score,
    about="""D: E max(0, 1 - D(x)) + E max(0, 1 + D(G)); G: -E D(G).

Lim and Ye, 2017; Miyato et al., ICLR 2018, equations 16 and 17.
""",
)


class Relativistic:
    """D: -E log σ(D(x) - D(G)); G: -E log σ(D(G) - D(x)): a real image should look more real than its fake.

    Both halves need both scores, of the same shapes; they are compared element by element.

    Source: Jolicoeur-Martineau, ICLR 2019, RSGAN.
    """

    def d(self, real: Scores, fake: Scores, *, reduction: Reduction = "mean") -> Tensor:
        """What D minimises: softplus(-(r - f))."""
        return reduce(average(lambda gap: F.softplus(-gap), self._gaps(real, fake)), reduction)

    def g(self, real: Scores, fake: Scores, *, reduction: Reduction = "mean") -> Tensor:
        """What G minimises: softplus(-(f - r))."""
        return reduce(average(F.softplus, self._gaps(real, fake)), reduction)

    def _gaps(self, real: Scores, fake: Scores) -> list[Tensor]:
        pairs = list(zip(*heads(real=real, fake=fake), strict=True))
        for r, f in pairs:
            check("(N, ...)", real=r, fake=f)
        return [r - f for r, f in pairs]


relativistic = Relativistic()
"""See `Relativistic`."""


def average(cost: Callable[[Tensor], Tensor], scores: list[Tensor]) -> Tensor:
    """Cost of each sample, (N,): averaged inside the sample, then over the heads."""
    return torch.stack([each(cost(head)) for head in scores]).mean(0)


def heads(**scores: Scores) -> list[list[Tensor]]:
    """Scores of every argument, checked, as a list of heads."""
    lists = [[s] if isinstance(s, Tensor) else list(s) for s in scores.values()]
    if any(len(found) != len(lists[0]) or not found for found in lists):
        counts = " and ".join(f"{name} has {len(found)}" for name, found in zip(scores, lists, strict=True))
        raise ValueError(f"{counts} heads; each must have as many, and one at least")
    flat: dict[str, Tensor] = {}
    for name, s in scores.items():
        flat |= {name: s} if isinstance(s, Tensor) else {f"{name}[{i}]": head for i, head in enumerate(s)}
    check("(N, ...)", False, **flat)
    return lists
