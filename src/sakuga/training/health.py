"""Says in words when a run goes bad. Nothing here stops it."""

from collections import defaultdict, deque
from collections.abc import Mapping
from itertools import combinations

import numpy as np

LONG = 10
"""Records (means over `log_every` steps) that a discriminator must spend in trouble."""
WON = 0.01
"""Of the loss in the first record: below it a discriminator tells real from generated without fail."""
STILL = 0.002
"""Largest change between the records, as a part of the loss, of one that has stopped to judge."""
SAME = 1.0
"""Mean difference, in levels of 0 to 255, below which the output is the input."""
ALIKE = 0.05
"""Distance between outputs as a part of that between their inputs, below which they are one picture."""


class Health:
    """Watches the terms and samples of a run; a trouble is told once, and again only after it had passed.

    A discriminator's loss is the sum of the terms whose player's name begins with D. Weights and objectives differ, so
    it is compared with itself only. It has won when it stays near zero, which for the least-squares, hinge and logistic
    objectives means that nothing is misjudged. It has lost when it stands still: one score for every picture is a
    minimum over constants for all three, where the loss is flat to first order, while a discriminator that judges
    changes with every batch. A loss that is negative anywhere (Wasserstein's) has no such zero and is not judged by it.
    """

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.first: dict[str, float] = {}
        self.last: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LONG))

    def terms(self, means: Mapping[str, float]) -> list[str]:
        """Take the means of one record, by `player/term`; return what has newly gone wrong."""
        said: list[str] = []
        losses: dict[str, float] = defaultdict(float)
        for name, value in means.items():
            if name.startswith("D"):
                losses[name.partition("/")[0]] += value
        for player, loss in losses.items():
            names = ", ".join(name for name in means if name.startswith(f"{player}/"))
            first, last = self.first.setdefault(player, loss), self.last[player]
            last.append(loss)
            long = len(last) == LONG
            low, high = min(last), max(last)
            won = long and low >= 0 and high < WON * first
            still = long and not won and high - low < STILL * abs(high)
            said += self._tell(
                f"{player} has won",
                won,
                f"the discriminator {player} has won: {names} at {loss:.2g}, it was {first:.2g}. The generator learns "
                "little from it now; give it a lower rate, more data or --augment.",
            )
            said += self._tell(
                f"{player} has lost",
                still,
                f"the discriminator {player} has stopped to judge: {names} stands still at {loss:.4g}, as if every "
                "picture got one score. Start again with a lower rate or another seed.",
            )
        return said

    def samples(self, before: np.ndarray, after: np.ndarray) -> list[str]:
        """Take the fixed photos and what became of them, (N, H, W, 3) uint8; return what has newly gone wrong."""
        x, y = before.astype(np.float32), after.astype(np.float32)
        changed = float(np.abs(y - x).mean()) if x.shape == y.shape else float("inf")
        said = self._tell(
            "the output is the input",
            changed < SAME,
            f"the output is the input: they differ by {changed:.2f} of 255 on the sample photos. "
            "The terms that pull towards the style weigh too little, or it is too early.",
        )
        spread_x, spread_y = _spread(x), _spread(y)
        said += self._tell(
            "outputs are alike",
            spread_y < ALIKE * spread_x,
            f"the outputs are all alike: they differ by {spread_y:.2f} of 255 where their photos differ by "
            f"{spread_x:.2f}. The terms that keep the content weigh too little, or the generator has collapsed.",
        )
        return said

    def _tell(self, cause: str, bad: bool, sentence: str) -> list[str]:
        new = bad and cause not in self.told
        (self.told.add if bad else self.told.discard)(cause)
        return [sentence] if new else []


def _spread(pictures: np.ndarray) -> float:
    """Mean distance between two pictures; 0 for fewer than two."""
    return float(np.mean([np.abs(a - b).mean() for a, b in combinations(pictures, 2)])) if len(pictures) > 1 else 0.0
