"""RelGAN's objectives of relative attributes: v = a' - a leads from an image x with attributes a to x' with a'.

Wu et al., ICCV 2019. v is target minus source: v ∈ {-1, 0, 1}ⁿ for attributes of zeros and ones.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, each, reduce
from sakuga.losses.adversarial import Adversarial, Scores, heads, lsgan

Triplet = tuple[Tensor, Tensor, Tensor]


class Matching:
    """Does v lead from x to x'? D tells real triplets (x, v, x') from (x, v, G(x, v)) and from wrong ones.

    The paper writes logarithms (`bce`), its code uses least squares, the default here. Source: RelGAN, ICCV 2019.
    """

    def d(
        self,
        real: Scores,
        fake: Scores,
        wrong: Sequence[Scores],
        *,
        objective: Adversarial = lsgan,
        reduction: Reduction = "mean",
    ) -> Tensor:
        """real(x, v, x') + fake(x, v, G(x, v)) + Σ fake(wrong), six errors in all, given D's scores (N, ...).

        `wrong` holds the scores of the four `wrong_triplets`.
        """
        if len(wrong) != 4:
            raise ValueError(f"wrong must hold the scores of four triplets, not {len(wrong)}")
        heads(real=real, fake=fake, **{f"wrong[{i}]": scores for i, scores in enumerate(wrong)})
        lies = [objective.fake(scores, reduction="none") for scores in wrong]
        return reduce(objective.d(real, fake, reduction="none") + torch.stack(lies).sum(0), reduction)

    def g(self, fake: Scores, *, objective: Adversarial = lsgan, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given the scores (N, ...) of (x, v, G(x, v))."""
        return objective.g(fake, reduction=reduction)


matching = Matching()
"""See `Matching`."""


def wrong_triplets(images: Triplet, attributes: Triplet) -> list[Triplet]:
    """Of the real triplet (a, v_ab, b) replace one thing at a time by the third image's: four triplets that lie.

    In this order: another source image, another target image, another target attribute, another source attribute.
    Source: RelGAN, ICCV 2019.

    Args:
        images: three independent random batches x_a, x_b, x_c; or features of them.
        attributes: theirs, (N, n) each.
    """
    (x_a, x_b, x_c), (a, b, c) = images, attributes
    return [(x_c, b - a, x_b), (x_a, b - a, x_c), (x_a, c - a, x_b), (x_a, b - c, x_b)]


class Interpolation:
    """How far is an image from either end of its edit? D estimates α̂ = min(α, 1 - α), and G hides it.

    D: (D(G(x, αv)) - α̂)², plus what holds the ends at zero; G: D(G(x, αv))². Source: RelGAN, ICCV 2019.
    """

    def d(
        self,
        score: Tensor,
        alpha: Tensor,
        start: Tensor,
        end: Tensor,
        *,
        form: Literal["modified", "basic"] = "modified",
        reduction: Reduction = "mean",
    ) -> Tensor:
        """(D(G(x, αv)) - α̂)² + 1[α ≤ ½] D(G(x, 0))² + 1[α > ½] D(G(x, v))², given D's scores.

        Args:
            score: D(G(x, αv)), (N, ...).
            alpha: α ~ U(0, 1), (N,).
            start: D(G(x, 0)), shaped as `score`.
            end: D(G(x, v)), shaped as `score`.
            form: "modified", as above and as used, or "basic": both ends count, whatever α.
            reduction: over the batch.
        """
        check("(N, ...)", score=score, start=start, end=end)
        check("(N)", alpha=alpha)
        check("(N, ...)", False, score=score, alpha=alpha)
        if form not in ("modified", "basic"):
            raise ValueError(f"form must be 'modified' or 'basic', not {form!r}")
        target = torch.minimum(alpha, 1 - alpha).view(-1, *[1] * (score.ndim - 1))
        middle, first, last = each((score - target).square()), each(start.square()), each(end.square())
        ends = first + last if form == "basic" else torch.where(alpha <= 0.5, first, last)
        return reduce(middle + ends, reduction)

    def g(self, score: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given the scores (N, ...) of its interpolations: D(G(x, αv))²."""
        check("(N, ...)", score=score)
        return reduce(each(score.square()), reduction)


interpolation = Interpolation()
"""See `Interpolation`."""
