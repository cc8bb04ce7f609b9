"""A network whose result is known, for steps reckoned by hand."""

import torch
from torch import nn


class Known(nn.Module):
    """`result(gain, *inputs)`, with one weight, `gain`, of 1."""

    def __init__(self, result):
        super().__init__()
        self.gain, self.result = nn.Parameter(torch.ones(1).double()), result

    def forward(self, *given):
        return self.result(self.gain, *given)
