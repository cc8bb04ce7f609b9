"""Switchable normalisation: a learned mixture of instance, layer and batch norm."""

import torch
from torch import Tensor, nn


class SwitchNorm(nn.Module):
    """(x - Σ w_k μ_k) / √(Σ w'_k σ²_k + ε) · gain + bias, k over instance, layer and batch; w and w' are softmaxes.

    All six logits start at 1, so each of the three counts alike. Variances are unbiased inside a channel, and those of
    layer and batch are made of the channels' moments; in eval mode the batch's are running means of momentum 0.9.

    Source: Luo, Ren, Peng, Zhang, Li, "Differentiable Learning-to-Normalize via Switchable Normalization", ICLR 2019,
    equation 3, and the official code.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.9):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.mean_weight = nn.Parameter(torch.ones(3))
        self.var_weight = nn.Parameter(torch.ones(3))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        flat = x.flatten(2).float() if x.dtype in (torch.float16, torch.bfloat16) else x.flatten(2)
        mean, var = flat.mean(2), flat.var(2)
        square = var + mean.square()
        layer = mean.mean(1, keepdim=True)
        layer_var = square.mean(1, keepdim=True) - layer.square()
        if self.training:
            batch = mean.mean(0)
            batch_var = square.mean(0) - batch.square()
            with torch.no_grad():
                self.running_mean.lerp_(batch.to(self.running_mean), 1 - self.momentum)
                self.running_var.lerp_(batch_var.to(self.running_var), 1 - self.momentum)
        else:
            batch, batch_var = self.running_mean, self.running_var
        w, v = self.mean_weight.softmax(0), self.var_weight.softmax(0)
        mean = w[0] * mean + w[1] * layer + w[2] * batch
        var = v[0] * var + v[1] * layer_var + v[2] * batch_var
        scale = self.weight / (var + self.eps).sqrt()
        shift = self.bias - mean * scale
        return x * scale[..., None, None].to(x.dtype) + shift[..., None, None].to(x.dtype)
