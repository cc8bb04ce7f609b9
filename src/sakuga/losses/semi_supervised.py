"""A discriminator over K classes and "generated", learned from a few labels, many images without, and fakes.

Its score for "real" is log p(real) / p(generated) = logsumexp_k l_k - l_generated, so each form below is an ordinary
adversarial one plus the cross-entropy of the labels:

    D: labelled(l(x), y) + ½ unlabelled(l(x_u)) + ½ generated(l(G(z)))

The three are apart because their batches may differ in size; weights are the system's.
"""

from abc import ABC, abstractmethod
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, reduce
from sakuga.losses.classification import check_classes


class SemiSupervised(ABC):
    """What both forms share, given D's logits."""

    @abstractmethod
    def score(self, logits: Tensor) -> Tensor:
        """D's raw score (N,) that the image is real, whatever its class."""

    def labelled(self, logits: Tensor, labels: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """For D, of real images with classes 0 ... K - 1, integers (N,): logsumexp l - l_y."""
        check("(N, K)", logits=logits)
        check_classes(logits, labels=labels)
        return reduce(F.cross_entropy(logits, labels.long(), reduction="none"), reduction)

    def unlabelled(self, logits: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """For D, of real images without labels: -log(1 - p(generated)) = softplus(-score)."""
        return reduce(F.softplus(-self.score(logits)), reduction)

    def generated(self, logits: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """For D, of generated images: -log p(generated) = softplus(score)."""
        return reduce(F.softplus(self.score(logits)), reduction)


class Salimans(SemiSupervised):
    """Semi-supervised learning with K logits (N, K); that of "generated" is 0.

    The score is logsumexp l; labels are told apart among the real classes only. G matches features.
    Source: Salimans et al., Improved Techniques for Training GANs, NeurIPS 2016, sections 3.1 and 5.
    """

    def score(self, logits: Tensor) -> Tensor:
        """D's raw score (N,): logsumexp l."""
        check("(N, K)", logits=logits)
        return logits.logsumexp(1)

    def g(
        self, real: Tensor, fake: Tensor, *, norm: Literal["l1", "l2"] = "l1", reduction: Reduction = "mean"
    ) -> Tensor:
        """What G minimises, given features (N, ...) of D's last hidden layer: match their means over the batch.

        l1, the official code: mean_j |E h_j(x) - E h_j(G)|; l2, the paper: ‖E h(x) - E h(G)‖², summed over j. The batch
        has one value, so with `reduction="none"` each sample gets the same.
        """
        if norm not in ("l1", "l2"):
            raise ValueError(f"norm must be 'l1' or 'l2', not {norm!r}")
        check("(N, ...)", real=real, fake=fake)
        error = real.mean(0) - fake.mean(0)
        value = error.abs().mean() if norm == "l1" else error.square().sum()
        return reduce(value.expand(len(fake)), reduction)


class Odena(SemiSupervised):
    """Semi-supervised learning with K + 1 logits (N, K + 1) under one softmax, the last for "generated".

    Source: Odena, Semi-Supervised Learning with Generative Adversarial Networks, 2016.
    """

    def score(self, logits: Tensor) -> Tensor:
        """D's raw score (N,): logsumexp over the K classes - the last logit."""
        check("(N, K)", logits=logits)
        if logits.shape[1] < 2:
            raise ValueError(f"logits must hold at least one class and 'generated', not {tuple(logits.shape)}")
        return logits[:, :-1].logsumexp(1) - logits[:, -1]

    def g(self, logits: Tensor, *, reduction: Reduction = "mean") -> Tensor:
        """What G minimises, given D's logits of its images: -log(1 - p(generated))."""
        return self.unlabelled(logits, reduction=reduction)


semi_supervised = Salimans()
semi_supervised_odena = Odena()
