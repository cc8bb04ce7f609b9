"""Warps, distances, correspondences and codes, by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from cases import Case, images
from torch.testing import assert_close

from sakuga.losses.geometry import (
    correspondence_regularization,
    distance_transform,
    domain_alignment,
    exact_distance_transform,
    kl_standard_normal,
    warp_smoothness,
)

IMAGE, DRAWING, MAPS = (3, 6, 4), (1, 6, 4), (2, 6, 4)

CASES = [
    Case("warp_smoothness", warp_smoothness, {"flow": (2, 6, 4)}),
    Case(
        "distance_transform",
        distance_transform,
        {"drawing": DRAWING, "target": DRAWING, "drawing_distances": MAPS, "target_distances": MAPS},
    ),
    Case(
        "correspondence_regularization",
        correspondence_regularization,
        {"warped_back": IMAGE, "exemplar": IMAGE},
        zero=True,
    ),
    Case("domain_alignment", domain_alignment, {"features_a": IMAGE, "features_b": IMAGE}, zero=True),
    Case("kl_standard_normal", kl_standard_normal, {"mean": (5,), "logvar": (5,)}, any_shape=True),
]


class TestWarpSmoothness:
    def test_by_hand(self):
        # (1, 0) beside (0, 2), at right angles, and above (-3, 0), opposite: 2 - 0 + 1 = 3. Lengths do not count.
        flow = torch.tensor([[[1.0, 0.0], [-3.0, 9.0]], [[0.0, 2.0], [0.0, 9.0]]])[None]
        assert warp_smoothness(flow).item() == 3

    def test_sum_over_positions_with_both_neighbours(self):
        # As the official code writes it.
        flow = torch.randn(2, 2, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        here, right, down = flow[..., :-1, :-1], flow[..., :-1, 1:], flow[..., 1:, :-1]
        wanted = (2 - F.cosine_similarity(here, right) - F.cosine_similarity(here, down)).sum()
        assert_close(warp_smoothness(flow, reduction="sum"), wanted)

    def test_constant_flow_is_smooth(self):
        flow = torch.tensor([0.02, -0.01]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
        assert warp_smoothness(flow).abs() < 1e-4

    def test_gradient_is_bounded_beside_no_flow(self):
        flow = torch.zeros(1, 2, 4, 4)
        flow[..., ::2] = 0.5
        flow.requires_grad_()
        warp_smoothness(flow).backward()
        assert flow.grad.abs().max() < 5e4

    def test_wrong_shapes_are_refused(self):
        for shape in ((1, 3, 4, 4), (1, 2, 1, 4)):
            with pytest.raises(ValueError, match="flow must have shape"):
                warp_smoothness(torch.zeros(shape))


class TestDistanceTransform:
    def test_exact_maps_by_hand(self):
        # Black in the corner of 3 × 3: the far corner is √8 away and the centre √2, half of that. The corner itself is
        # 1 from white, the largest distance to white there is.
        drawing = torch.ones(1, 1, 3, 3)
        drawing[..., 0, 0] = -1
        black, white = exact_distance_transform(drawing)[0]
        row = torch.tensor([0.0, 1.0, 2.0])
        assert_close(black, (row[:, None] ** 2 + row**2).sqrt() / 8**0.5)
        assert_close(white, (drawing[0, 0] < 0).float())

    def test_exact_maps_of_a_blank_page(self):
        maps = exact_distance_transform(torch.ones(1, 1, 2, 3, dtype=torch.float64))
        assert_close(maps, torch.stack([torch.ones(2, 3), torch.zeros(2, 3)])[None].double())
        assert_close(exact_distance_transform(-torch.ones(1, 1, 2, 3)), maps.flip(1).float())

    def test_by_hand(self):
        # y is black at place 0 of 4, G at place 1. Distances to black over the largest: y (0, 1, 2, 3) / 3,
        # G (1, 0, 1, 2) / 2; to white: y (1, 0, 0, 0), G (0, 1, 0, 0).
        # d(y, G): black place 0 of y has 1/2 in G; white places 1, 2, 3 have 1, 0, 0: 3/2.
        # d(G, y): black place 1 of G has 1/3 in y; white places 0, 2, 3 have 1, 0, 0: 4/3.
        y, drawing = torch.tensor([-1.0, 1, 1, 1]).view(1, 1, 1, 4), torch.tensor([1.0, -1, 1, 1]).view(1, 1, 1, 4)
        maps = exact_distance_transform(drawing), exact_distance_transform(y)
        assert_close(distance_transform(drawing, y, *maps, sharpness=50), torch.tensor(3 / 2 + 4 / 3))

    def test_equal_drawings_score_what_the_soft_mask_leaves(self):
        drawing = images()[:, :1].sign()
        maps = exact_distance_transform(drawing)
        # σ(-10) = 1 / (1 + e^10) of all distances, in both directions.
        left = 2 * maps.sum((1, 2, 3)) / (1 + math.exp(10))
        assert_close(distance_transform(drawing, drawing, maps, maps, reduction="none"), left)
        moved = drawing.roll(1, 3)
        assert distance_transform(moved, drawing, exact_distance_transform(moved), maps) > 1000 * left.mean()

    def test_the_gradient_draws_where_the_target_has_lines(self):
        y = torch.ones(1, 1, 5, 5)
        y[..., 2] = -1
        drawing = torch.zeros(1, 1, 5, 5, requires_grad=True)
        maps = exact_distance_transform(drawing.detach()), exact_distance_transform(y)
        distance_transform(drawing, y, *maps).backward()
        assert torch.equal(-drawing.grad.sign(), y)

    def test_shapes_that_do_not_belong_together(self):
        drawing, maps = torch.zeros(2, 1, 4, 5), torch.zeros(2, 2, 4, 5)
        with pytest.raises(ValueError, match="drawing_distances has shape"):
            distance_transform(drawing, drawing, maps.mT, maps.mT)
        for wrong in (lambda x: distance_transform(x, x, maps, maps), exact_distance_transform):
            with pytest.raises(ValueError, match=r"drawing must have shape \(N, 1, H, W\)"):
                wrong(torch.zeros(2, 3, 4, 5))
        with pytest.raises(TypeError, match="drawing must be a floating"):
            exact_distance_transform(drawing.long())


class TestCorrespondence:
    def test_by_hand(self):
        # Off by 1 at one of 4 numbers.
        assert correspondence_regularization(torch.eye(2)[None, None], torch.ones(1, 1, 2, 2)).item() == 0.5

    def test_a_picture_matched_to_itself_comes_back(self):
        theta = F.normalize(torch.randn(1, 16, 24, generator=torch.Generator().manual_seed(0)), dim=1)
        exemplar = images(1).float()
        matches = theta.mT @ theta / 0.01
        warped = exemplar.flatten(2) @ matches.softmax(2).mT
        back = (warped @ matches.mT.softmax(2).mT).view_as(exemplar)
        assert correspondence_regularization(back, exemplar) < 1e-3
        assert correspondence_regularization(back.roll(1, 3), exemplar) > 0.1


def test_domain_alignment_by_hand():
    # (3, 4) and (8, 6) of unit length: (0.6, 0.8) and (0.8, 0.6), each number off by 0.2.
    a, b = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1), torch.tensor([8.0, 6.0]).view(1, 2, 1, 1)
    assert_close(domain_alignment(a, b), torch.tensor(0.2))


def test_kl_by_hand():
    zero = torch.zeros(2, 3)
    assert kl_standard_normal(zero, zero).item() == 0
    # -½ (1 + 0 - 1 - 1) = ½ and -½ (1 + ln 2 - 0 - 2) = ½ (1 - ln 2), averaged.
    mean, logvar = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(2)]])
    assert_close(kl_standard_normal(mean, logvar), torch.tensor((0.5 + 0.5 * (1 - math.log(2))) / 2))
    normal = torch.distributions.Normal
    exact = torch.distributions.kl_divergence(normal(mean, (logvar / 2).exp()), normal(0.0, 1.0))
    assert_close(kl_standard_normal(mean, logvar), exact.mean())
