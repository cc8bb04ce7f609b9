"""Small systems with every kind of input, for tests of export and of what runs their styles."""

from typing import ClassVar

import torch
from torch import nn

from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Config, System


class FromNoise(nn.Module):
    """Noise (N, 8), one of three kinds and a brightness to pictures of 16 x 24 pixels."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8 + 3, 12 * 2 * 3), nn.Unflatten(1, (12, 2, 3)), nn.ReLU())
        self.tail = nn.Sequential(nn.ConvTranspose2d(12, 6, 4, 4), nn.BatchNorm2d(6), nn.ConvTranspose2d(6, 3, 2, 2))

    def forward(self, z, kind, brightness):
        """Generate."""
        return torch.tanh(self.tail(self.body(torch.cat([z, kind], 1)))) + brightness[:, None, None, None]


class Conditional(nn.Module):
    """A picture, and numbers that every pixel is given: instance norms whose gains depend on them."""

    def __init__(self, size):
        super().__init__()
        self.condition = nn.Linear(size, 2 * 8)
        self.head = nn.Conv2d(3 + size, 8, 5, padding=2, padding_mode="reflect")
        self.norm = nn.InstanceNorm2d(8)
        self.tail = nn.Conv2d(8, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, image, *values):
        """Translate."""
        values = [value / 100 if value.ndim == 3 else value for value in values]  # points, in pixels
        flat = torch.cat([value.flatten(1).to(image) if value.ndim > 1 else value[:, None] for value in values], 1)
        n, (height, width) = len(image), image.shape[2:]
        x = self.head(torch.cat([image, flat[:, :, None, None].expand(n, flat.shape[1], height, width)], 1))
        gain, bias = self.condition(flat)[:, :, None, None].chunk(2, 1)
        return torch.tanh(self.tail(torch.relu((1 + gain) * self.norm(x) + bias)) + image.mean((2, 3), keepdim=True))


class Referenced(nn.Module):
    """Two pictures: the first one, in the mean and deviation of the second one's features."""

    def __init__(self):
        super().__init__()
        self.head, self.tail = (nn.Conv2d(*c, 3, padding=1, padding_mode="reflect") for c in ((3, 6), (6, 3)))

    def forward(self, image, reference):
        """Translate."""
        x, y = self.head(image), self.head(reference)
        x = nn.functional.instance_norm(x)
        return self.tail(x * y.std((2, 3), keepdim=True) + y.mean((2, 3), keepdim=True))


WORDS = Input("text", "text", size=4, names=("", "a", "red", "cat"), default=["a", "cat"])
AGE = Input("age", "number", minimum=-1.0, maximum=2.0, default=0.5)
HAIR = Input("hair", "choice", names=("black", "blond", "brown"), default="blond")


class ToySystem(System):
    """A system of an artefact that is given."""

    name = "toy"
    players: ClassVar = {"G": ["generator"]}

    def __init__(self, module, inputs, **fields):
        super().__init__(Config())
        self.generator = module
        self.declared = {"inputs": tuple(inputs), **fields}

    def artefact(self, network=None):
        """Return it."""
        return Artefact(self.generator, **self.declared)


def from_noise(seed=0, *, default="a"):
    """A generator of noise, a class and a number."""
    torch.manual_seed(seed)
    inputs = Input("z", "noise", size=8), Input("kind", "choice", names=("a", "b", "c"), default=default), AGE
    return ToySystem(FromNoise(), inputs)


def conditional(*inputs, **fields):
    """A translation with inputs that are the same for the whole picture."""
    torch.manual_seed(0)
    size = sum(int(torch.tensor(one.shape).prod()) for one in inputs)
    return ToySystem(Conditional(size), (PICTURE, *inputs), **fields)


def referenced():
    """A translation with a reference picture."""
    torch.manual_seed(0)
    return ToySystem(Referenced(), (PICTURE, Input("reference", "picture")))
