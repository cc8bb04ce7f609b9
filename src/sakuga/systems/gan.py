"""GAN: the first generative adversarial networks (Goodfellow et al., NeurIPS 2014), by default on DCGAN's bodies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sakuga.losses import bce, bce_saturating
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.parts.noise import BodyConfig, FromNoise, networks

GAMES = {"non-saturating": bce, "minimax": bce_saturating}


@dataclass
class GANConfig(BodyConfig):
    """What `sakuga train gan` can be told; rate and batch are DCGAN's and the teaching code's, who halve the batch."""

    game: Literal["non-saturating", "minimax"] = "non-saturating"
    """What G minimises: -log D(G(z)), or log(1 - D(G(z))), whose gradient vanishes where D is sure."""


class GAN(FromNoise):
    """A generator that makes pictures of noise, and a discriminator that tells them from real ones.

    L_D = -E log D(x) - E log(1 - D(G(z))); L_G = -E log D(G(z)), or E log(1 - D(G(z))) with `--game minimax`.

    Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, equation 1 and the remark after it; networks
    are those of Radford, Metz, Chintala, ICLR 2016, or of the widely used teaching code, whose order this is: G moves
    first, then D on the same fakes. That code halves L_D; here it is the paper's.
    """

    name = "gan"
    Config = GANConfig
    presets = {"mnist": {"body": "mlp", "crop": 28, "steps": 187_600}}  # noqa: RUF012

    def __init__(self, config: GANConfig):
        super().__init__(config)
        self.generator, self.discriminator = networks(config)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """G, then D on the same fakes."""
        game, fake = GAMES[self.config.game], self.generator(batch["noise"])
        with frozen(self.discriminator):
            fooled = game.g(self.discriminator(fake))
        yield "G", {"gan": fooled}

        yield "D", {"gan": game.d(self.discriminator(batch["real"]), self.discriminator(fake.detach()))}
