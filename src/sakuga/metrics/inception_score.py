"""Inception score: how sure a classifier is of each picture, and how many classes it sees in all of them."""

import torch
from torch import Tensor


def inception_score(logits: Tensor, *, splits: int = 10) -> tuple[Tensor, Tensor]:
    """exp E KL(p(y|x) ‖ p(y)) of logits (N, K), p(y) the mean of p(y|x): mean and deviation over parts; from 1 to K.

    It means what the classifier means: published figures are of the Inception network of 2015 and 50,000 pictures in
    ten parts. The fewer pictures, the lower; it knows nothing of real pictures, nor whether all of a class are alike.

    Raises:
        ValueError: the logits are no rows, or fewer than there are parts.

    Source: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for Training GANs", NeurIPS 2016,
    section 4; parts, in order, as in the official code.
    """
    if logits.ndim != 2 or not 1 <= splits <= len(logits):
        raise ValueError(f"logits must be (N, K) of {splits} rows or more, not {[*logits.shape]}.")
    scores = []
    for part in logits.double().tensor_split(splits):
        log_p = part.log_softmax(1)
        log_mean = log_p.logsumexp(0) - torch.tensor(len(part)).double().log()
        scores.append((log_p.exp() * (log_p - log_mean)).sum(1).mean().exp())
    found = torch.stack(scores)
    return found.mean(), found.std(correction=0)
