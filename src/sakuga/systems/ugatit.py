"""U-GAT-IT: translation with attention and adaptive layer-instance norm (Kim, Kim, Kang, Lee, ICLR 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sakuga.errors import UsageError
from sakuga.losses import cam_generator, l1, lsgan
from sakuga.networks.ugatit import UGATITDiscriminator, UGATITGenerator
from sakuga.systems.base import Batch, Terms, frozen
from sakuga.systems.fields import AtLeast, Weight
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig

JUDGES = ("discriminator_style", "discriminator_style_local", "discriminator_photo", "discriminator_photo_local")


@dataclass
class UGATITConfig(UnpairedConfig):
    """What `sakuga train ugatit` can be told; the paper's values."""

    batch: int = 1
    lr: float = 1e-4
    steps: int = 1_000_000
    light: bool = True
    """The light generators, 10.6 million parameters each; otherwise 279 million at 256 pixels."""
    adversarial: Weight = 1.0
    """Weight of the adversarial terms."""
    cycle: Weight = 10.0
    """Weight of the cycle consistency."""
    identity: Weight = 10.0
    """Weight of the identity term."""
    cam: Weight = 1000.0
    """Weight of the generators' own classification of what they are given."""
    decay: Weight = 1e-4
    """Weight decay of both players."""
    blocks: Annotated[int, AtLeast(0)] = 4
    """Residual blocks of the generators, before the attention and again after it."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of every network's first layer."""
    layers: Annotated[tuple[int, int], AtLeast(3)] = (7, 5)
    """Depth of the global and the local discriminators."""


class UGATIT(Unpaired):
    """Generators that know by a classifier where photo and style differ; discriminators that look near and far.

    Both players' adversarial terms are least squares on the scores and on the CAM logits of a global and a local
    discriminator per side. L_G = λ_a Σ adversarial + λ_c cycle L1 + λ_i identity L1 + λ_m CAM, where CAM is the binary
    cross-entropy of G's classifier on photos (1) and style pictures (0), and the other way round for the inverse.

    Source: Kim, Kim, Kang, Lee, "U-GAT-IT", ICLR 2020, section 2.2; sizes and rates as in the authors' PyTorch
    code. Fakes are detached for D; the code is not, to no effect but time and memory.
    """

    name = "ugatit"
    players = {"D": list(JUDGES), "G": ["generator", "inverse"]}  # noqa: RUF012
    averaged = exportable = ("generator", "inverse")
    channels_last = False
    Config = UGATITConfig

    def __init__(self, config: UGATITConfig):
        super().__init__(config)
        least = 3 * 2 ** (max(config.layers) - 2)
        if config.crop < least:
            raise UsageError(f"--crop {config.crop} must be {least} or more with --layers {max(config.layers)}")
        self.generator, self.inverse = (
            UGATITGenerator(width=config.width, blocks=config.blocks, light=config.light, size=config.crop)
            for _ in "ab"
        )
        for name in JUDGES:
            depth = config.layers[name.endswith("local")]
            self.add_module(name, UGATITDiscriminator(width=config.width, layers=depth))

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """D on this step's fakes, then G on the same."""
        c, x, y = self.config, batch["photo"], batch["style"]
        fake_y, cam_x, _ = self.generator(x, attention=True)
        fake_x, cam_y, _ = self.inverse(y, attention=True)
        sides = {"style": (y, fake_y), "photo": (x, fake_x)}
        yield (
            "D",
            {
                side: c.adversarial * lsgan.d(self._scores(side, real), self._scores(side, fake.detach())) * 4
                for side, (real, fake) in sides.items()
            },
        )

        with frozen(*(self.get_submodule(name) for name in JUDGES)):
            fooled = [4 * lsgan.g(self._scores(side, fake)) for side, (_, fake) in sides.items()]
        same_y, cam_same_y, _ = self.generator(y, attention=True)
        same_x, cam_same_x, _ = self.inverse(x, attention=True)
        yield (
            "G",
            {
                "adversarial": c.adversarial * torch.stack(fooled).sum(),
                "cycle": c.cycle * (l1(self.inverse(fake_y), x) + l1(self.generator(fake_x), y)),
                "identity": c.identity * (l1(same_y, y) + l1(same_x, x)),
                "cam": c.cam * (cam_generator(cam_x, cam_same_y) + cam_generator(cam_y, cam_same_x)),
            },
        )
        self.generator.clip_rho()
        self.inverse.clip_rho()

    def _scores(self, side: str, image: Tensor) -> list[Tensor]:
        """Patch scores and CAM logits of both discriminators of a side; `lsgan` averages what the paper sums."""
        scores: list[Tensor] = []
        for name in (f"discriminator_{side}", f"discriminator_{side}_local"):
            discriminator = self.get_submodule(name)
            assert isinstance(discriminator, UGATITDiscriminator)
            patches, logits, _ = discriminator(self.augment(image), attention=True)
            scores += [patches, logits]
        return scores

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½ and L2 regularisation for both players."""
        c = self.config
        return {
            p: torch.optim.Adam(self.weights(p), c.lr, betas=(0.5, 0.999), weight_decay=c.decay) for p in self.players
        }

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)
