"""Says in words when a run goes bad. Nothing here stops it."""

from collections import defaultdict, deque
from collections.abc import Mapping
from math import inf

import numpy as np
from scipy.spatial.distance import pdist, squareform

LONG = 10
"""Records (means over `log_every` steps) that a discriminator must spend in trouble."""
WON = 0.01
"""Of the loss in the first record: below it a discriminator tells real from generated without fail."""
STILL = 0.002
"""Largest change between the records, as a part of the loss, of one that has stopped telling pictures apart."""
SAME = 1.0
"""Mean difference, in levels of 0 to 255, below which the output is the input."""
ALIKE = 0.05
"""Distance between outputs as a part of that between their inputs, below which they are one picture."""
TWIN = 0.1
"""Distance to the nearest other output as a part of the mean one between references; of real sets it is 0.3 or more."""
EMPTY = 8.0
"""Mean distance to black or to white, in levels of 0 to 255, below which pictures show nothing."""
RUNAWAY = 100
"""Times its first value at which a term has run away."""


class Health:
    """Watches the terms and samples of a run; a trouble is told once, and again only after it had passed.

    A discriminator's loss is the sum of the terms whose player's name begins with D. Weights and objectives differ, so
    it is compared with itself only. It has won when it stays near zero, which for the least-squares, hinge and logistic
    objectives means that nothing is misjudged. It has lost when it stands still: one score for every picture is a
    minimum over constants for all three, where the loss is flat to first order, while a discriminator that tells them
    apart changes with every batch. A loss that is negative anywhere (Wasserstein's) has no such zero.

    A term has run away at 100 times its first value, or 100 times the largest of its first ten where it has been
    negative, and thus is a score; one that began near zero, at what its player's terms were together. Its first value
    is the mean of the first record, in which it may have run away already: then what counts is the first step.
    """

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.first: dict[str, float] = {}
        self.last: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LONG))
        self.scale: dict[str, list[float]] = defaultdict(list)
        self.began: dict[str, float] = {}

    def begin(self, terms: Mapping[str, float]) -> None:
        """Take the terms of the very first step. Scores begin near zero, so a player's count as one and more."""
        for name, value in terms.items():
            player = name.partition("/")[0]
            self.began[player] = self.began.get(player, 1.0) + abs(value)

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
                f"the discriminator {player} has stopped telling pictures apart: {names} stands still at {loss:.4g}, "
                "as if every picture got one score. Start again with a lower rate or another seed.",
            )
        for name, value in means.items():
            if name.partition("/")[0] not in ("rate", "gradient", "quality"):
                said += self._runaway(name, value, means)
        return said

    def _runaway(self, name: str, value: float, means: Mapping[str, float]) -> list[str]:
        first = self.scale[name]
        if len(first) < LONG:
            player = name.partition("/")[0]
            whole = sum(abs(other) for term, other in means.items() if term.startswith(f"{player}/"))
            usual = max(value, whole / RUNAWAY, key=abs) if not first else value
            began = self.began.get(player, inf)
            first.append(began if abs(usual) > RUNAWAY * began else usual)
        scale = first[0] if min(first) >= 0 else max(map(abs, first))
        return self._tell(
            f"{name} runs away",
            abs(value) > RUNAWAY * scale > 0,
            f"{name} is at {value:.4g}, {RUNAWAY} times what it was at first ({scale:.2g}): the training diverges. "
            "Go back to an earlier checkpoint, or start again with a lower --lr or with --clip.",
        )

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
        return said + self._empty(after, before)

    def generated(self, pictures: np.ndarray, references: np.ndarray) -> list[str]:
        """Take what a generator makes of fixed inputs and pictures to be learned, (N, H, W, 3) uint8; as `samples`."""
        distances, spread = _distances(pictures), _spread(references)
        alike = float(distances.mean()) < ALIKE * spread
        nearest = squareform(distances) + np.diag(np.full(len(pictures), np.inf))
        twins = float((nearest.min(1) < TWIN * spread).mean())
        said = self._tell(
            "outputs are alike",
            alike,
            f"the generated pictures are all alike: they differ by {distances.mean():.2f} of 255, those to be learned "
            f"by {spread:.2f}. The generator has collapsed, or it is too early.",
        )
        said += self._tell(
            "collapsed",
            twins > 0.5 and not alike,
            f"the generator has collapsed: {twins:.0%} of its pictures have a twin among the others. Unless "
            "it is too early, go back to an earlier checkpoint, or start again with a lower --lr or another seed.",
        )
        return said + self._empty(pictures, references)

    def _empty(self, pictures: np.ndarray, real: np.ndarray) -> list[str]:
        level = float(pictures.mean())
        empty, usual = (min(mean, 255 - mean) for mean in (level, float(real.mean())))
        return self._tell(
            "empty",
            empty < EMPTY and empty < usual / 2,
            f"the samples are nearly {'black' if level < 128 else 'white'}: {level:.1f} of 255 on average. Their "
            "network is saturated; start again with a lower --lr.",
        )

    def _tell(self, cause: str, bad: bool, sentence: str) -> list[str]:
        new = bad and cause not in self.told
        (self.told.add if bad else self.told.discard)(cause)
        return [sentence] if new else []


def _spread(pictures: np.ndarray) -> float:
    """Mean distance between two pictures; 0 for fewer than two."""
    return float(_distances(pictures).mean()) if len(pictures) > 1 else 0.0


def _distances(pictures: np.ndarray) -> np.ndarray:
    """Mean absolute difference of every two pictures, in the order of `scipy`'s condensed matrices."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float64)
    distances: np.ndarray = pdist(flat, "cityblock") / flat.shape[1]
    return distances
