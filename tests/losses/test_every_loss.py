"""Laws that every loss obeys, whatever it measures."""

import inspect
import re

import pytest
import test_adversarial
import test_attention
import test_cartoon
import test_classification
import test_colour
import test_contextual
import test_domains
import test_faces
import test_features
import test_geometry
import test_penalties
import test_pixel
import test_relative
import test_semi_supervised
import torch
from cases import Case
from torch.testing import assert_close

from sakuga import losses

MODULES = (
    test_adversarial,
    test_attention,
    test_cartoon,
    test_classification,
    test_colour,
    test_contextual,
    test_domains,
    test_faces,
    test_features,
    test_geometry,
    test_penalties,
    test_pixel,
    test_relative,
    test_semi_supervised,
)
CASES = [case for module in MODULES for case in module.CASES]

# Names of `sakuga.losses` that are no losses: operations, classes, what pairs are made of. Each has its own tests.
OTHERS = {
    "Adversarial",
    "ImagePool",
    "clip_weights",
    "exact_distance_transform",
    "gradient_reversal",
    "gram",
    "grayscale",
    "guided_filter",
    "orthogonal",
    "random_color_shift",
    "rgb_to_lab",
    "rgb_to_yuv",
    "superpixel_colors",
    "surface",
    "wrong_triplets",
}


def test_no_loss_is_left_out():
    assert {case.function for case in CASES} == set(losses.__all__) - OTHERS
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(set(losses.__all__)) == 70


def test_every_name_states_its_mathematics():
    """Help on a name, a pair's too, says what is computed and who published it, or that nobody has."""
    for name in set(losses.__all__) - {"Adversarial"}:
        documented = inspect.getdoc(getattr(losses, name)) or ""
        assert re.search(r"(19|20)\d\d|BT\.601|IEC|No published source|See `|mean [|(]", documented), name
    assert len({inspect.getdoc(pair) for pair in (losses.Adversarial, losses.bce, losses.hinge, losses.lsgan)}) == 4


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestEveryLoss:
    def test_reductions_agree(self, case: Case):
        each = case.loss(*case.tensors(), reduction="none")
        assert each.shape == (3,)
        assert_close(case.loss(*case.tensors()), each.mean())
        assert_close(case.loss(*case.tensors(), reduction="sum"), each.sum())
        with pytest.raises(ValueError, match="reduction"):
            case.loss(*case.tensors(), reduction="avg")

    def test_samples_do_not_mix(self, case: Case):
        tensors = case.tensors()
        alone = torch.cat([case.loss(*(t[i : i + 1] for t in tensors), reduction="none") for i in range(3)])
        assert case.mixes != torch.allclose(case.loss(*tensors, reduction="none"), alone)

    def test_keeps_dtype(self, case: Case):
        for dtype in (torch.float32, torch.float64):
            assert case.loss(*case.tensors(dtype=dtype)).dtype == dtype

    def test_keeps_device(self, case: Case):
        meta = [t.to("meta") for t in case.tensors()]
        assert case.loss(*meta).device.type == "meta"

    def test_gradient_is_finite_where_tensors_are_equal_or_flat(self, case: Case):
        shape = next(iter(case.shapes.values()))
        for value in (torch.rand(3, *shape, dtype=torch.float64), torch.zeros(3, *shape, dtype=torch.float64)):
            floats = [
                (value if s == shape else torch.zeros(3, *s, dtype=torch.float64)).clone().requires_grad_()
                for s in case.shapes.values()
            ]
            loss = case.loss(*floats, *case.others())
            assert torch.isfinite(loss)
            if loss.requires_grad:
                loss.backward()
            assert all(f.grad is None or torch.isfinite(f.grad).all() for f in floats)

    def test_integers_are_refused_by_name(self, case: Case):
        for i, name in enumerate(case.shapes):
            tensors = case.tensors()
            tensors[i] = tensors[i].long()
            with pytest.raises(TypeError, match=rf"^{name}\b.* must be (a )?floating"):
                case.loss(*tensors)

    def test_wrong_ranks_are_refused_by_name(self, case: Case):
        for i, name in enumerate(case.shapes):
            tensors = case.tensors()
            tensors[i] = torch.zeros((), dtype=torch.float64) if case.any_shape else tensors[i][None]
            with pytest.raises(ValueError, match=rf"^{name}\b.* must have shape"):
                case.loss(*tensors)


@pytest.mark.parametrize("case", [c for c in CASES if not c.kinks], ids=lambda case: case.name)
def test_gradient(case: Case):
    floats = case.tensors(2)[: len(case.shapes)]
    for name, tensor in zip(case.shapes, floats, strict=True):
        tensor.requires_grad_(name not in case.constant)
    assert torch.autograd.gradcheck(lambda *t: case.loss(*t, *case.others(2)), floats)


@pytest.mark.parametrize("case", [c for c in CASES if c.zero], ids=lambda case: case.name)
def test_equal_tensors_score_least(case: Case):
    x = case.tensors()[0]
    assert_close(case.loss(*(x for _ in case.shapes)), torch.zeros((), dtype=torch.float64), atol=1e-6, rtol=0)
    assert case.loss(*case.tensors()) > 1e-4


@pytest.mark.parametrize("case", [c for c in CASES if len(c.shapes) > 1], ids=lambda case: case.name)
def test_shapes_that_differ_are_refused_by_name(case: Case):
    names = "|".join(case.shapes)
    for i in range(len(case.shapes)):
        tensors = case.tensors()
        tensors[i] = tensors[i][:2]
        with pytest.raises(ValueError, match=rf"^({names})\b.*(has shape|holds)"):
            case.loss(*tensors)
