"""What architectures share."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from sakuga.networks.layers import InstanceNorm, instance_norm

LAST = torch.channels_last


def normalised(x, weigh):
    """The result of a picture as it lies in memory, and its gradient."""
    gain, shift = torch.rand(2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x.detach().requires_grad_()
    y = instance_norm(x, weight=gain, bias=shift, eps=1e-3)
    return y, *torch.autograd.grad(y, x, weigh)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("order", [torch.contiguous_format, LAST])
def test_pictures_are_normalised_as_they_lie_in_memory(count, order):
    """Gradients come in either order too."""
    x, weigh = torch.randn(2, count, 5, 7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    wanted = normalised(x, weigh)
    for gradient in (weigh, weigh.to(memory_format=LAST)):
        found = normalised(x.to(memory_format=order), gradient)
        assert found[0].is_contiguous(memory_format=order)
        assert_close(found, wanted, check_stride=False)


def test_a_view_whose_order_is_not_what_it_seems_is_normalised_too():
    x, weigh = torch.randn(2, 2, 5, 7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    view = x.to(memory_format=LAST)[0][None]
    assert view.is_contiguous(memory_format=LAST)
    assert_close(normalised(view, weigh[:1]), normalised(x[:1].clone(), weigh[:1]), check_stride=False)


def test_the_module_has_the_functions_gain_and_shift():
    norm = InstanceNorm(4, affine=True, eps=1e-2)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = torch.randn(2, 4, 5, 5)
    wanted = F.instance_norm(x, weight=norm.weight, bias=norm.bias, eps=1e-2)
    for order in (torch.contiguous_format, LAST):
        assert_close(norm(x.to(memory_format=order)), wanted, check_stride=False)
