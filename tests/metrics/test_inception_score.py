"""The Inception score of logits whose score is known."""

import math

import pytest
import torch
from torch.testing import assert_close

from sakuga.metrics.inception_score import inception_score


def test_known_answers():
    unsure = torch.zeros(20, 5)
    assert_close(inception_score(unsure), (torch.ones(()).double(), torch.zeros(()).double()))
    sure = 1000 * torch.eye(4).repeat(10, 1)  # four classes, as often in each part
    assert_close(inception_score(sure), (torch.tensor(4.0).double(), torch.zeros(()).double()))
    alike = torch.tensor([[3.0, 1.0, 0.0]]).repeat(10, 1)
    assert_close(inception_score(alike, splits=1)[0], torch.ones(()).double())


def test_parts_are_taken_in_order():
    logits = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1000.0, 0.0], [0.0, 1000.0]])
    mean, deviation = inception_score(logits, splits=2)
    assert (float(mean), float(deviation)) == (1.5, 0.5)  # of 1 and 2


def test_one_by_hand():
    logits = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])  # 3/4, 1/4 and a half each: 5/8, 3/8 in the mean
    divergence = (0.75 * math.log(0.75 / 0.625) + 0.25 * math.log(0.25 / 0.375)) / 2
    divergence += (0.5 * math.log(0.5 / 0.625) + 0.5 * math.log(0.5 / 0.375)) / 2
    assert float(inception_score(logits, splits=1)[0]) == pytest.approx(math.exp(divergence), rel=1e-7)


@pytest.mark.parametrize("shape", [(9, 4), (40,)])
def test_what_cannot_be_scored(shape):
    with pytest.raises(ValueError, match="10 rows or more"):
        inception_score(torch.zeros(shape))
