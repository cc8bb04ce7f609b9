"""Penalties on gradients and weights, by hand."""

import pytest
import torch
from cases import IMAGE, Case, images
from torch import Tensor, nn
from torch.testing import assert_close

from sakuga.losses.penalties import clip_weights, drift, gradient_penalty, orthogonal, path_length, r1


def critic(image: Tensor) -> Tensor:
    """Without weights, so that it takes any dtype and device; flat at zero. Scores (N, 72)."""
    return (image.square() + image**3 / 2).flatten(1)


def asked(tensor: Tensor) -> Tensor:
    """The tensor or, where a caller asked for no gradient, a copy that asks for one."""
    return tensor.detach().requires_grad_() if tensor.is_floating_point() and not tensor.requires_grad else tensor


def r1_of_critic(image: Tensor, **options) -> Tensor:
    image = asked(image)
    return r1(critic(image), image, **options)


def length(latents: Tensor, *, decay: float, **options) -> Tensor:
    latents = asked(latents)
    made = critic(latents)[:, None, :, None]
    noise = torch.linspace(-1, 1, made[0].numel()).view(1, 1, -1, 1).expand_as(made).to(made)
    return path_length(made, latents, made.new_tensor(0.1), decay=decay, noise=noise, **options)[0]


CASES = [
    Case(
        "gradient_penalty",
        lambda real, fake, mix, **k: gradient_penalty(critic, real, fake, mix=mix, **k),
        {"real": IMAGE, "fake": IMAGE, "mix": ()},
    ),
    Case("drift", drift, {"real": (1, 3, 2)}, any_shape=True),
    Case("r1", r1_of_critic, {"images": IMAGE}),
    Case("path_length", lambda w, **k: length(w, decay=0, **k), {"latents": (4, 5)}),
    # The moving mean sees the whole batch, and is held constant where gradcheck would move it.
    Case(
        "path_length with a mean", lambda w, **k: length(w, decay=0.5, **k), {"latents": (4, 5)}, mixes=True, kinks=True
    ),
]


class Linear(nn.Module):
    """D(x) = ⟨k, x⟩ + b, with ‖k‖ = 5 for the k below."""

    def __init__(self):
        super().__init__()
        self.k = nn.Parameter(torch.tensor([3.0, 0.0, 0.0, 4.0]).view(1, 1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return (self.k * x).sum((1, 2, 3)) + 7


class TestGradientPenalty:
    def test_of_a_linear_critic(self):
        real, fake = torch.randn(2, 3, 1, 2, 2)
        # (5 - 1)² wherever it is taken, and with a target of 2 (5 - 2)² / 2².
        assert_close(gradient_penalty(Linear(), real, fake, reduction="none"), torch.full((3,), 16.0))
        assert_close(gradient_penalty(Linear(), real, fake, target=2), torch.tensor(2.25))

    def test_scores_of_patches_and_heads_are_summed(self):
        real, fake = torch.randn(2, 3, 1, 2, 2)
        # Each pixel is a patch: the gradient of the sum is k again; two such heads double it: (10 - 1)².
        d = Linear()
        assert_close(gradient_penalty(lambda x: d.k * x, real, fake), torch.tensor(16.0))
        assert_close(gradient_penalty(lambda x: [d.k * x, d(x)], real, fake), torch.tensor(81.0))

    def test_is_taken_between_real_and_fake(self):
        real, fake = torch.full((2, 1, 1, 1), 4.0), torch.zeros(2, 1, 1, 1)
        # D = x²/2 has gradient x̂ = 4 ε: for ε = 1, all real, (4 - 1)² = 9; for ε = ¼ (1 - 1)² = 0.
        penalty = gradient_penalty(
            lambda x: x.square() / 2, real, fake, mix=torch.tensor([1.0, 0.25]), reduction="none"
        )
        assert penalty.tolist() == [9, 0]

    def test_draws_one_mix_for_each_sample(self):
        torch.manual_seed(0)
        seen = []
        real, fake = torch.ones(64, 3, 2, 2), torch.zeros(64, 3, 2, 2)
        gradient_penalty(lambda x: (seen.append(x), x.square())[1], real, fake)
        mix = seen[0].detach().flatten(1)
        assert (mix == mix[:, :1]).all()
        assert mix.min() < 0.1
        assert mix.max() > 0.9
        assert mix[:, 0].unique().numel() == 64

    def test_trains_the_critic(self):
        d = Linear()
        real, fake = torch.randn(2, 3, 1, 2, 2)
        gradient_penalty(d, real, fake).backward()
        # d (‖k‖ - 1)² / dk = 2 (5 - 1) k / 5 = 8 (.6, 0, 0, .8).
        assert_close(d.k.grad.flatten(), torch.tensor([4.8, 0, 0, 6.4]))
        with torch.no_grad():
            d.k.zero_()
        d.k.grad = None
        penalty = gradient_penalty(d, real, fake)
        penalty.backward()
        assert penalty.item() == 1
        assert torch.isfinite(d.k.grad).all()

    def test_what_cannot_be_measured_is_refused(self):
        x = images()
        with pytest.raises(ValueError, match="target must be positive"):
            gradient_penalty(critic, x, x, target=0)
        with pytest.raises(ValueError, match="mix holds 2 samples"):
            gradient_penalty(critic, x, x, mix=torch.zeros(2))
        with pytest.raises(ValueError, match="score must be made from its input"):
            gradient_penalty(lambda x: torch.zeros(3), x, x)
        with pytest.raises(ValueError, match="score must have shape"):
            gradient_penalty(lambda x: x.sum(), x, x)


class TestR1:
    def test_of_a_linear_critic(self):
        x = torch.randn(3, 1, 2, 2, requires_grad=True)
        d = Linear()
        # ½ · 5²; for two heads ½ · 10².
        assert_close(r1(d(x), x, reduction="none"), torch.full((3,), 12.5))
        assert_close(r1([d(x), d.k * x], x), torch.tensor(50.0))
        r1(d(x), x).backward()
        # d ½‖k‖² / dk = k.
        assert_close(d.k.grad, d.k.detach())

    def test_images_without_gradient_are_refused(self):
        x = torch.randn(3, 1, 2, 2)
        with pytest.raises(ValueError, match="images must require grad"):
            r1(Linear()(x), x)
        with pytest.raises(ValueError, match="scores must be made from images"):
            r1(Linear()(x), x.requires_grad_())
        with pytest.raises(ValueError, match="scores must be made from images"), torch.no_grad():
            r1(Linear()(x), x)
        with pytest.raises(ValueError, match="scores holds 2 samples"):
            r1(Linear()(x)[:2], x)


def test_drift_by_hand():
    # (1 + 9) / 2 = 5 and (0 + 4) / 2 = 2.
    scores = torch.tensor([[1.0, -3.0], [0.0, 2.0]])
    assert drift(scores, reduction="none").tolist() == [5, 2]
    assert drift([scores, scores * 0]).item() == 1.75


class TestPathLength:
    def make(self, latents: Tensor) -> Tensor:
        """An orthonormal linear generator of (N, 1, 2, 2): its Jacobian keeps lengths."""
        h = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
        return (latents @ h).view(-1, 1, 2, 2)

    def test_by_hand(self):
        w = torch.randn(2, 4, requires_grad=True)
        noise = torch.tensor([[1.0, 1, 1, 1], [2, 0, 0, 0]]).view(2, 1, 2, 2)
        # ‖y‖ = 2 for both, over √(2 · 2) = 2: both lengths are 1. The mean goes from .5 by .01 (1 - .5) to .505, and
        # the loss is taken against the new one: (1 - .505)² = .245025.
        loss, mean = path_length(self.make(w), w, torch.tensor(0.5), noise=noise, reduction="none")
        assert_close(mean, torch.tensor(0.505))
        assert_close(loss, torch.full((2,), 0.245025))

    def test_mean_over_layers(self):
        w = torch.randn(2, 3, 4, requires_grad=True)
        # Layers weighed 1, 2, 2 with ‖y‖/2 = 1: √((1 + 4 + 4) / 3) = √3; against a mean of zero, 3.
        made = self.make((w * torch.tensor([1.0, 2, 2])[:, None]).sum(1))
        loss, _ = path_length(made, w, torch.tensor(0.0), noise=torch.ones_like(made), decay=0)
        assert_close(loss, torch.tensor(3.0))

    def test_vanishes_once_the_mean_has_converged(self):
        chance, mean, losses = torch.Generator().manual_seed(0), torch.zeros(()), []
        for _ in range(100):
            w = torch.randn(3, 4, generator=chance, requires_grad=True)
            signs = torch.randint(2, (3, 1, 2, 2), generator=chance) * 2.0 - 1
            loss, mean = path_length(self.make(w), w, mean, decay=0.1, noise=signs)
            losses.append(loss.item())
        # (1 - a)² with a = 1 - .9^t: .81 at first, .9^200 = 7e-10 at last.
        assert losses[0] == pytest.approx(0.81)
        assert losses[-1] < 1e-8
        assert mean.item() == pytest.approx(1, abs=1e-4)

    def test_mean_is_a_state_without_graph(self):
        w = torch.randn(2, 4, requires_grad=True)
        before = torch.tensor(0.5)
        scale = torch.tensor(2.0, requires_grad=True)
        signs = torch.ones(2, 1, 2, 2)
        loss, mean = path_length(scale * self.make(w), w, before, decay=0.5, noise=signs)
        assert not mean.requires_grad
        assert before.item() == 0.5
        loss.backward()
        # Length s = 2, mean 1.25: d (s - a)² / ds = 2 (2 - 1.25) = 1.5 with a constant.
        assert_close(scale.grad, torch.tensor(1.5))

    def test_noise_is_scaled_by_the_image(self):
        torch.manual_seed(0)
        lengths = []
        for side in (8, 32):
            w = torch.zeros(200, side * side, requires_grad=True)
            lengths.append(path_length(w.view(200, 1, side, side), w, torch.zeros(()), decay=0)[0].item())
        # E ‖y‖² = 1 whatever the size; the standard error is √(2 / 64 / 200) = .013 at most.
        assert lengths == pytest.approx([1, 1], abs=0.05)

    def test_what_cannot_be_measured_is_refused(self):
        w, mean = torch.randn(2, 4), torch.zeros(())
        with pytest.raises(ValueError, match="latents must require grad"):
            path_length(self.make(w), w, mean)
        made = self.make(w)
        w.requires_grad_()
        with pytest.raises(ValueError, match="images must be made from latents"):
            path_length(made, w, mean)
        with pytest.raises(ValueError, match="mean must be a scalar tensor"):
            path_length(self.make(w), w, mean[None])
        with pytest.raises(ValueError, match="latents holds 2 samples, but images 1"):
            path_length(self.make(w)[:1], w, mean)
        with pytest.raises(ValueError, match="noise has shape"):
            path_length(self.make(w), w, mean, noise=torch.zeros(2, 1, 2, 1))
        with pytest.raises(ValueError, match=r"latents must have shape \(N, L, D\)"):
            path_length(self.make(w), w[:, None, None], mean)


class TestOrthogonal:
    def test_by_hand(self):
        # Filters (1, 3) and (2, 4): their product 1·2 + 3·4 = 14 stands twice off the diagonal: 2 · 196.
        w = torch.tensor([[1.0, 3.0], [2.0, 4.0]])
        assert orthogonal(w).item() == 392
        # The same at each of three taps, one of them doubled: (1 + 1 + 2⁴) · 392.
        kernel = torch.stack([w, w, 2 * w], dim=-1)[:, :, None]
        assert orthogonal(kernel).item() == 18 * 392

    def test_of_orthogonal_taps(self):
        taps = [torch.linalg.qr(torch.randn(6, 4, dtype=torch.float64))[0].T for _ in range(9)]
        kernel = torch.stack(taps, dim=-1).view(4, 6, 3, 3)
        assert orthogonal(kernel).item() < 1e-28
        # Orthogonal, not orthonormal, is asked for.
        assert orthogonal(3 * kernel).item() < 1e-26
        assert orthogonal(kernel.flip(2) + kernel).item() > 0.1

    def test_three_orthonormal_filters_of_eight_inputs_cost_nothing(self):
        filters = torch.linalg.qr(torch.randn(8, 3, dtype=torch.float64))[0].T
        assert orthogonal(filters).item() < 1e-28
        # Their eight columns in three dimensions cannot be orthogonal.
        assert orthogonal(filters.T).item() > 0.1

    def test_gradient_dtype_and_device(self):
        w = torch.randn(3, 2, 2, 2, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(orthogonal, [w])
        assert torch.autograd.gradcheck(orthogonal, [torch.zeros_like(w, requires_grad=True)])
        assert orthogonal(w.float()).dtype == torch.float32
        assert orthogonal(w.to("meta")).shape == ()

    def test_what_is_no_kernel_is_refused(self):
        with pytest.raises(TypeError, match="weight must be a floating"):
            orthogonal(torch.ones(2, 2, dtype=torch.long))
        with pytest.raises(ValueError, match="weight must have shape"):
            orthogonal(torch.ones(2))


def test_clip_weights():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    network[0].weight.data = torch.tensor([-3.0, 0.004]).view(2, 1, 1, 1)
    network[1].running_var.fill_(5)
    clip_weights(network)
    assert_close(network[0].weight.flatten(), torch.tensor([-0.01, 0.004]))
    assert_close(network[1].weight.detach(), torch.full((2,), 0.01))
    assert network[1].running_var.tolist() == [5, 5]
    clip_weights(network, 0.001)
    assert_close(network[0].weight.flatten(), torch.tensor([-0.001, 0.001]))
    assert all(p.requires_grad and p.is_leaf for p in network.parameters())
