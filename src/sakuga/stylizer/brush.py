"""At what size a picture is painted: strokes and lines have a size in pixels."""

from math import sqrt

from sakuga.style.card import Card
from sakuga.stylizer.look import Look

AUTO_BRUSH, BEST_BRUSH = 1.8, 1.2
"""The least by which a picture is reduced on its own accord. Below the first to paint it all is quicker than to bring
it back, so 720p video is painted as it is; below the second, for the best quality, nothing would be seen of it."""
SMALL, FINEST_BRUSH = 0.8, 0.5
"""For the best quality a picture with a finer brush than the first is enlarged, but not beyond the second: lines twice
as thin as a pixel are not seen."""


def is_best(card: Card, look: Look) -> bool:
    """Whether a style that paints in squares of several pixels takes the time of the best quality."""
    in_squares = card.receptive_field is not None and card.multiple > 1 and card.scale == 1 and not card.size
    return in_squares and look.quality == "best"


def painted_size(card: Card, look: Look, height: int, width: int) -> tuple[int, int] | None:
    """(width, height) at which a style paints a picture where that is not the picture's own; None where it is."""
    if card.scale > 1 or card.size or card.frame or any(one.kind == "points" for one in card.inputs):
        return None
    times = _best_brush(card, look, height * width) if isinstance(look.brush, str) else look.brush
    size = max(1, round(width / times)), max(1, round(height / times))
    return None if size == (width, height) else size


def _best_brush(card: Card, look: Look, pixels: int) -> float:
    """How many of a picture's pixels one of the network's covers where the style is at its best."""
    times, best = sqrt(pixels / card.best_pixels), is_best(card, look)
    if best and times < SMALL:
        return max(times, FINEST_BRUSH)
    return 1.0 if times < (BEST_BRUSH if best else AUTO_BRUSH) else times
