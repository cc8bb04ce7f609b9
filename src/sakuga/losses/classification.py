"""What a classifier on the images minimises: domains, attributes, groups. Logits are (N, K), no softmax or sigmoid.

The discriminator minimises the same function on real images with their own labels as the generator on its images with
the labels that were asked for.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, each, reduce
from sakuga.losses.adversarial import Adversarial, bce


def domain_classification(logits: Tensor, labels: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Label a discriminator's image: -log softmax(z)_c, or binary cross-entropy summed over the attributes.

    Integers (N,) name one domain of K: cross-entropy. Floats (N, K) in [0, 1] are attributes, any of which may hold:
    Σ_k -(y_k log σ(z_k) + (1 - y_k) log(1 - σ(z_k))). The official code sums over attributes, and λ_cls = 1 fits that.

    Source: Choi et al. (StarGAN), CVPR 2018, equations 2 and 3.
    """
    check("(N, K)", logits=logits)
    if labels.is_floating_point():
        check("(N, K)", logits=logits, labels=labels)
        bits = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="none")
        return reduce(bits.sum(1), reduction)
    check_classes(logits, labels=labels)
    return reduce(_cross_entropy(logits, labels), reduction)


def group_classification(
    logits: Tensor, group: Tensor, *, form: Literal["ce", "mse"] = "ce", reduction: Reduction = "mean"
) -> Tensor:
    """Tell to which of K groups (women, men, children, elderly) a face belongs: -log softmax(z)_i.

    `form="mse"` is the official code's: mean over the K logits of (z - onehot(i))². `group` holds integers (N,).

    Source: Zhuang and Yang, Few-shot Knowledge Transfer for Fine-grained Cartoon Face Generation, 2020.
    """
    if form not in ("ce", "mse"):
        raise ValueError(f"form must be 'ce' or 'mse', not {form!r}")
    check("(N, K)", logits=logits)
    check_classes(logits, group=group)
    if form == "ce":
        return reduce(_cross_entropy(logits, group), reduction)
    one_hot = F.one_hot(group.long(), logits.shape[1])
    return reduce(each((logits - one_hot).square()), reduction)


def attribute_matching(logits: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Keep the attributes of a face: mean over k of -(p_k log σ(z_k) + (1 - p_k) log(1 - σ(z_k))), p = σ(target).

    Args:
        logits: of the caricature classifier on the caricature, φ_c(G_{p→c}(w)).
        target: logits of the photo classifier on the photo, φ_p(G_p(w)); a constant. On the way back the two are
            φ_p(G_{c→p}(w)) and φ_c(G_c(w)).
        reduction: over the batch.

    Smallest where the attributes agree, but not 0 there: the entropy of p remains.
    Source: Jang et al. (StyleCariGAN), SIGGRAPH 2021.
    """
    check("(N, K)", logits=logits, target=target)
    wanted = target.detach().sigmoid()
    return reduce(each(F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")), reduction)


class AuxiliaryClassifier:
    """A discriminator that also names the class. L_S is the adversarial pair, L_C = E -log P(C = c).

    D minimises L_S + L_C(x) + L_C(G), G minimises L_S + L_C(G): both want the class of a generated image recognised.
    Where D learns it on real images alone (StarGAN), it is `wgan.d(real, fake) + domain_classification(...)`.

    Source: Odena, Olah, Shlens, ICML 2017, equations 2 and 3, as costs. The paper's G maximises L_C - L_S, the
    saturating form `bce_saturating`; the default is the non-saturating one that is trained.
    """

    def d(
        self,
        real: Tensor,
        fake: Tensor,
        real_logits: Tensor,
        real_labels: Tensor,
        fake_logits: Tensor,
        fake_labels: Tensor,
        *,
        objective: Adversarial = bce,
        reduction: Reduction = "mean",
    ) -> Tensor:
        """What D minimises, given its scores (N, ...), its class logits (N, K) and the classes, integers (N,)."""
        check("(N, ...)", False, real=real, fake=fake, real_logits=real_logits, fake_logits=fake_logits)
        check("(N, K)", real_logits=real_logits, fake_logits=fake_logits)
        check_classes(real_logits, real_labels=real_labels, fake_labels=fake_labels)
        classes = _cross_entropy(real_logits, real_labels) + _cross_entropy(fake_logits, fake_labels)
        return reduce(objective.d(real, fake, reduction="none") + classes, reduction)

    def g(
        self,
        fake: Tensor,
        fake_logits: Tensor,
        fake_labels: Tensor,
        *,
        objective: Adversarial = bce,
        reduction: Reduction = "mean",
    ) -> Tensor:
        """What G minimises, given D's scores (N, ...) and class logits (N, K) of its images and the classes asked."""
        check("(N, ...)", False, fake=fake, fake_logits=fake_logits)
        check("(N, K)", fake_logits=fake_logits)
        check_classes(fake_logits, fake_labels=fake_labels)
        return reduce(objective.g(fake, reduction="none") + _cross_entropy(fake_logits, fake_labels), reduction)


auxiliary_classifier = AuxiliaryClassifier()


def check_classes(logits: Tensor, **labels: Tensor) -> None:
    """Refuse classes that are not integers (N,), one for each sample of the logits, naming the argument."""
    for name, given in labels.items():
        if given.is_floating_point():
            raise TypeError(f"{name} must be integers, not {given.dtype}")
        if given.shape != logits.shape[:1]:
            raise ValueError(f"{name} must have shape (N,), here {tuple(logits.shape[:1])}, not {tuple(given.shape)}")


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels.long(), reduction="none")
