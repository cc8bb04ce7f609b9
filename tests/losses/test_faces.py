"""Losses of faces, by hand."""

import pytest
import torch
from cases import IMAGE, Case
from torch.testing import assert_close

from sakuga.losses.faces import characteristic, face_id, landmark_consistency, noise_diversity

MEAN, OTHER_MEAN = torch.tensor([0.1, -0.2, 0.3, 0.0]), torch.tensor([0.0, 0.5, -0.1, 0.2])

CASES = [
    Case("face_id", face_id, {"embedding": (5,), "target": (5,)}, zero=True),
    Case("landmark_consistency", landmark_consistency, {"heatmaps": (5, 6, 4), "target": (5, 6, 4)}, zero=True),
    Case(
        "characteristic",
        lambda x, y, **k: characteristic(x, y, MEAN.to(x), OTHER_MEAN.to(x), **k),
        {"points": (4,), "translated": (4,)},
    ),
    Case(
        "characteristic of equal means",
        lambda x, y, **k: characteristic(x, y, MEAN.to(x), MEAN.to(x), **k),
        {"points": (4,), "translated": (4,)},
        zero=True,
    ),
    Case(
        "noise_diversity",
        noise_diversity,
        {"first": IMAGE, "second": IMAGE, "noise_first": (5,), "noise_second": (5,)},
        any_shape=True,
    ),
]


def test_face_id_by_hand():
    # cos of (3, 4) and (4, 3) is 24 / 25; of (3, 4) and (-6, -8) -1; a right angle 0; lengths do not count.
    x = torch.tensor([[3.0, 4.0], [3.0, 4.0], [1.0, 0.0], [2.0, 0.0]])
    y = torch.tensor([[4.0, 3.0], [-6.0, -8.0], [0.0, 5.0], [7.0, 0.0]])
    assert_close(face_id(x, y, reduction="none"), torch.tensor([0.04, 2.0, 1.0, 0.0]), atol=1e-6, rtol=0)


def test_an_embedding_of_zero_scores_one_and_has_a_gradient():
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.zeros(1, 3, dtype=dtype, requires_grad=True)
        loss = face_id(x, torch.ones(1, 3, dtype=dtype))
        loss.backward()
        assert loss.item() == 1
        assert torch.isfinite(x.grad).all()


def test_landmark_consistency_by_hand():
    # Two maps of one row: differences 1, 0 and 0, -3: (1 + 9) / 4.
    x, y = torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]]), torch.tensor([[[[0.0, 0.0]], [[0.0, 3.0]]]])
    assert landmark_consistency(x, y).item() == 2.5


def test_characteristic_by_hand():
    # From the means (1, 1) and (0, 2): x - x̄ = (3, 4); G(x) - ȳ = (6, 8), exaggerated twice: 0; (4, 3): 1 - 24 / 25.
    mean, other = torch.tensor([1.0, 1.0]), torch.tensor([0.0, 2.0])
    x, y = torch.tensor([[4.0, 5.0], [4.0, 5.0]]), torch.tensor([[6.0, 10.0], [4.0, 5.0]])
    assert_close(characteristic(x, y, mean, other, reduction="none"), torch.tensor([0.0, 0.04]), atol=1e-6, rtol=0)


def test_characteristic_at_the_mean_face():
    # The mean face has no direction: the score is 1 and the gradient finite.
    x = MEAN[None].clone().requires_grad_()
    loss = characteristic(x, MEAN[None] + 1, MEAN, MEAN)
    loss.backward()
    assert loss.item() == 1
    assert torch.isfinite(x.grad).all()


def test_means_that_do_not_fit_are_refused_by_name():
    x = torch.zeros(2, 4)
    with pytest.raises(ValueError, match=r"^mean has 3 entries"):
        characteristic(x, x, MEAN[:3], MEAN[:3])
    with pytest.raises(ValueError, match=r"^translated_mean has shape"):
        characteristic(x, x, MEAN, MEAN[:3])
    with pytest.raises(ValueError, match=r"^mean must have shape"):
        characteristic(x, x, x, MEAN)
    with pytest.raises(TypeError, match=r"^translated_mean must be a floating"):
        characteristic(x, x, MEAN, MEAN.long())


def test_noise_diversity_by_hand():
    # Pictures differ by 1 and 0: 1/2; noises by 1 and 3: 2. |1/2 - 2| = 3/2; with α = 1/4 the two agree.
    first, second = torch.tensor([[[[1.0, 0.0]]]]), torch.zeros(1, 1, 1, 2)
    one, two = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    assert noise_diversity(first, second, one, two).item() == 1.5
    assert noise_diversity(first, second, one, two, alpha=0.25).item() == 0
    # Pictures that do not differ are asked to, pictures of one noise are not allowed to.
    assert noise_diversity(second, second, one, two).item() == 2
    assert noise_diversity(first, second, one, one).item() == 0.5
