"""GeNeVA-GAN's networks: sentences and pictures of a dialogue to the next picture, and what judges it.

El-Nouby, Sharma, Schulz, Hjelm, El Asri, Kahou, Bengio, Taylor, "Tell, Draw, and Repeat: Generating and Modifying
Images Based on Continual Linguistic Instruction", ICCV 2019. Published are 64 channels and 1024 numbers of a state.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

STARTS = 32
"""How many times smaller than the picture the generator starts and the discriminator ends."""


class SentenceEncoder(nn.Module):
    """Words to the last states of a GRU over them and of one backwards, normalised; 2,502,656 besides the words.

    Args:
        vocabulary: words there are, the first of which is padding.
        words: numbers for each word; the authors took GloVe's 300, which stay as they are.
        hidden: numbers of a sentence.
    """

    def __init__(self, vocabulary: int, *, words: int = 300, hidden: int = 1024):
        super().__init__()
        self.words = nn.Embedding(vocabulary, words, padding_idx=0)
        self.onward = nn.GRU(words, hidden // 2, batch_first=True)
        self.backward_ = nn.GRU(words, hidden // 2, batch_first=True)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, text: Tensor) -> Tensor:
        """Places of words (N, L), 0 after the last, to (N, hidden)."""
        last = (text > 0).sum(1, keepdim=True).sub(1).clamp_min(0)
        places = (last - torch.arange(text.shape[1], device=text.device)).clamp_min(0)
        states = []
        for gru, order in ((self.onward, text), (self.backward_, text.gather(1, places))):
            all_states = gru(self.words(order))[0]
            states.append(all_states.gather(1, last[..., None].expand(-1, 1, all_states.shape[2]))[:, 0])
        sentence: Tensor = self.norm(torch.cat(states, 1))
        return sentence


class ConditionEncoder(nn.Sequential):
    """A linear layer and batch norm between sentence and dialogue; 1,051,648 parameters.

    The paper fuses the picture in here; the official code passes it by, and so does this.
    """

    def __init__(self, hidden: int = 1024):
        super().__init__(nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden))


class DialogueState(nn.Module):
    """What was said until now: a GRU over the turns, normalised; 6,297,600 parameters besides the norm."""

    def __init__(self, hidden: int = 1024):
        super().__init__()
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, conditions: Tensor) -> Tensor:
        """(N, turns, hidden) to a state after each of them, (N, turns, hidden)."""
        state: Tensor = self.norm(self.gru(conditions)[0])
        return state


class ImageEncoder(nn.Sequential):
    """The picture before, (N, 3, S, S), to features (N, 8 width, S/8, S/8); 1,184,128 parameters.

    The official code has a head for objects besides, which it never uses.
    """

    def __init__(self, width: int = 64):
        layers: list[nn.Module] = []
        for channels, out in ((3, width), (width, 2 * width), (2 * width, 8 * width)):
            layers += [nn.Conv2d(channels, out, 4, stride=2, padding=1, bias=False), nn.ReLU(), nn.BatchNorm2d(out)]
        del layers[-2]
        super().__init__(*layers)


class ConditionalNorm(nn.BatchNorm2d):
    """Batch norm whose gain and bias are linear functions of a state; they begin near 1 and 0."""

    def __init__(self, channels: int, hidden: int):
        super().__init__(channels, affine=False)
        self.affine_of = nn.Linear(hidden, 2 * channels)
        nn.init.normal_(self.affine_of.weight, std=0.02)
        with torch.no_grad():
            self.affine_of.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: Tensor, state: Tensor | None = None) -> Tensor:
        """Normalise (N, C, H, W) for states (N, hidden)."""
        gain, shift = self.affine_of(state)[..., None, None].chunk(2, 1)
        normalised: Tensor = super().forward(x) * gain + shift
        return normalised


class UpBlock(nn.Module):
    """A residual block that doubles the size: conv(act(norm(conv(up(act(norm(x))))))) + conv1(up(x))."""

    def __init__(self, channels: int, out: int, hidden: int):
        super().__init__()
        self.norm1, self.norm2 = ConditionalNorm(channels, hidden), ConditionalNorm(out, hidden)
        self.conv1, self.conv2 = _convolution(channels, out, 3), _convolution(out, out, 3)
        self.shortcut = _convolution(channels, out, 1)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        """(N, channels, H, W) and (N, hidden) to (N, out, 2H, 2W)."""
        y = self.conv1(F.interpolate(F.leaky_relu(self.norm1(x, state)), scale_factor=2))
        y = self.conv2(F.leaky_relu(self.norm2(y, state)))
        result: Tensor = y + self.shortcut(F.interpolate(x, scale_factor=2))
        return result


class DrawingGenerator(nn.Module):
    """Noise, what was said and features of the picture before to the next picture; 48,858,048 parameters.

    The official code holds a gate of 787,456 more, which it never uses. Its norms begin with the gains on the wrong
    axis; these begin at 1.

    Args:
        side: of the pictures, a multiple of 32.
        width: channels of the last block.
        hidden: numbers of a state.
        noise: numbers of noise.

    Attributes:
        background: the picture that dialogues begin with, (3, side, side); the network itself does not use it.
    """

    background: Tensor

    def __init__(self, side: int = 128, *, width: int = 64, hidden: int = 1024, noise: int = 100):
        super().__init__()
        self.start_side, self.condition = side // STARTS, hidden // 4
        self.augment = nn.Linear(hidden, 2 * self.condition)
        self.start = nn.Linear(self.condition + noise, 16 * width * self.start_side**2)
        sizes = ((16, 16), (16, 8), (16, 4), (4, 2), (2, 1))  # the third is given the picture before as well
        self.blocks = nn.ModuleList(UpBlock(a * width, b * width, hidden) for a, b in sizes)
        self.norm, self.last = nn.BatchNorm2d(width), _convolution(width, 3, 3)
        self.register_buffer("background", torch.zeros(3, side, side))

    def forward(self, noise: Tensor, state: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a turn.

        Args:
            noise: (N, noise + hidden / 4), of which the latter part varies what was said (conditioning augmentation).
            state: (N, hidden).
            features: of the picture before, (N, 8 width, S/8, S/8).

        Returns the picture (N, 3, S, S) in [-1, 1], and mean and logarithm of the variance of what was said.
        """
        mean, logvar = F.relu(self.augment(state)).chunk(2, 1)
        z, varied = noise[:, : -self.condition], noise[:, -self.condition :]
        said = mean + (0.5 * logvar).exp() * varied
        x = self.start(torch.cat([z, said], 1)).unflatten(1, (-1, self.start_side, self.start_side))
        for i, block in enumerate(self.blocks):
            x = block(torch.cat([x, features], 1) if i == 2 else x, state)
        return torch.tanh(self.last(F.leaky_relu(self.norm(x)))), mean, logvar


class DownBlock(nn.Module):
    """A residual block with spectral norm that halves the size, or keeps it and its channels.

    The first one, which sees the picture, has no activation before it and halves before its shortcut's convolution.
    """

    def __init__(self, channels: int, out: int, *, down: bool = True, first: bool = False):
        super().__init__()
        self.down, self.first = down, first
        self.conv1, self.conv2 = (spectral_norm(_convolution(c, out, 3)) for c in (channels, out))
        self.shortcut = spectral_norm(_convolution(channels, out, 1)) if down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, out, H/2, W/2)."""
        y: Tensor = self.conv2(F.leaky_relu(self.conv1(x if self.first else F.leaky_relu(x))))
        if not self.down:
            return x + y
        short = self.shortcut(F.avg_pool2d(x, 2)) if self.first else F.avg_pool2d(self.shortcut(x), 2)
        halved: Tensor = short + F.avg_pool2d(y, 2)
        return halved


class DifferenceDiscriminator(nn.Module):
    """What a turn changed, as features: those of both pictures are subtracted at an eighth of their size."""

    def __init__(self, width: int = 64):
        super().__init__()
        sizes = [3, *(width * k for k in (1, 2, 4, 8, 16))]
        blocks = [DownBlock(a, b, first=a == 3) for a, b in pairwise(sizes)]
        self.each = nn.Sequential(*blocks[:3])
        self.difference = nn.Sequential(*blocks[3:], DownBlock(16 * width, 16 * width, down=False))

    def forward(self, images: Tensor, before: Tensor) -> Tensor:
        """Pictures (K N, 3, S, S) and those before them (N, 3, S, S), the same for each N, to (K N, 16 width)."""
        features = self.each(torch.cat([images, before]))
        after, earlier = features.split([len(images), len(before)])
        change = after - earlier.repeat(len(images) // len(before), 1, 1, 1)
        summed: Tensor = F.leaky_relu(self.difference(change)).sum((2, 3))
        return summed


class TurnHead(nn.Module):
    """Whether a change is real and is what was said, and which objects it brought; with its body 40,787,643 of 58.

    Args:
        objects: names there are.
        width: of the body.
        hidden: numbers of a state.
    """

    def __init__(self, objects: int, *, width: int = 64, hidden: int = 1024):
        super().__init__()
        channels = 16 * width
        self.score = spectral_norm(nn.Linear(channels, 1))
        self.said = nn.Sequential(nn.Linear(hidden, channels), nn.ReLU(), nn.Linear(channels, channels))
        self.objects = nn.Sequential(nn.Linear(channels, 4 * width), nn.ReLU(), nn.Linear(4 * width, objects))

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(K N, 16 width) and states (N, hidden) to raw scores (K N) and logits (K N, objects)."""
        said = self.said(state).repeat(len(features) // len(state), 1)
        return self.score(features)[:, 0] + (said * features).sum(1), self.objects(features)


class Drawer(nn.Module):
    """A whole dialogue at once, as users run it: every instruction changes the picture before; empty ones do not.

    Args:
        sentence, condition, dialogue, encoder, generator: the trained networks.
    """

    def __init__(
        self,
        sentence: SentenceEncoder,
        condition: ConditionEncoder,
        dialogue: DialogueState,
        encoder: ImageEncoder,
        generator: DrawingGenerator,
    ):
        super().__init__()
        self.sentence, self.condition, self.dialogue = sentence, condition, dialogue
        self.encoder, self.generator = encoder, generator

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        """(N, turns · (noise + hidden / 4)) and places of words (N, turns, L), or (N, L) of one, to (N, 3, S, S)."""
        text = text.view(len(text), -1, text.shape[-1])
        turns = text.shape[1]
        sentences = self.condition(self.sentence(text.flatten(0, 1)))
        states = self.dialogue(sentences.unflatten(0, (-1, turns)))
        image = self.generator.background.expand(len(text), -1, -1, -1)
        for turn, drawn_of in enumerate(noise.chunk(turns, 1)):
            drawn, _, _ = self.generator(drawn_of, states[:, turn], self.encoder(image))
            image = torch.where((text[:, turn, 0] > 0)[:, None, None, None], drawn, image)
        return image


def _convolution(channels: int, out: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
