"""One style on pixels of any size: at the size where it paints best, in as many tiles as the memory asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from sakuga.picture.arrays import denormalise, normalise, resize
from sakuga.picture.pixels import Array, match_histogram
from sakuga.runtime.memory import available, ran_out
from sakuga.runtime.parallel import cores
from sakuga.style import Style
from sakuga.style.engine import Engine, pick
from sakuga.stylizer.brush import is_best, painted_size
from sakuga.stylizer.enlarge import enlarge, reduce
from sakuga.stylizer.faces import SIDE
from sakuga.stylizer.fitted import fitted
from sakuga.stylizer.frozen import freeze
from sakuga.stylizer.look import Look
from sakuga.stylizer.piece import MIN_SIDE, blend, less_room, run_network, run_shifted
from sakuga.stylizer.tiles import cut, plan, round_up

Floats = NDArray[np.float32]

MAX_TILE_PIXELS = 2688**2
"""The most pixels that a style which looks at surroundings is given at once: larger pieces save little, memory less."""
MIN_PIXELS = 512**2
"""Pixels that are given at once however little memory seems to be left."""
# Bytes that a network takes for each pixel at once: what fast ones take (60 to 130) and White-box (600), with room to
# spare; and the published generators, which take 900 to 1,700.
LOCAL_BYTES, GLOBAL_BYTES = 1024, 2048


@dataclass(frozen=True)
class Painter:
    """A style with the look, engine and inputs by which it paints.

    `threads`: how many the network computes with; None: one for each core. `at_once`: pictures, which share the memory.
    """

    style: Style
    look: Look
    engine: Engine
    inputs: Mapping[str, Array]
    threads: int | None = None
    at_once: int = 1

    def paint(self, rgb: Array, of: Array | None = None) -> Array:
        """Stylise pixels with no regard to faces in them.

        `of`: the picture of which they are a face; one of more than SIDE² pixels is stylised at that size.
        """
        if (size := self.style.card.size) and rgb.shape[:2] != size and self.style.card.scale == 1:
            return fitted(rgb, size, self.paint)
        enlarged = self._enlarge(rgb) if self._shows_photo else None
        if self.look.strength == 0:
            return rgb.copy() if enlarged is None else enlarged
        if of is None:
            size = painted_size(self.style.card, self.look, *rgb.shape[:2])
        else:
            size = (SIDE, SIDE) if len(rgb) > SIDE else None
        result = self._at_size(rgb, size, of) if size else self._within_memory(rgb, enlarged, of)
        return match_histogram(result, rgb) if self.style.card.match_histogram else result

    def _at_size(self, rgb: Array, size: tuple[int, int], of: Array | None) -> Array:
        """Stylise a picture brought to `size` (width, height) and bring the result back to its own."""
        whole = replace(self, look=replace(self.look, strength=1.0, keep_color=False))
        if size[0] * size[1] > rgb.shape[0] * rgb.shape[1]:
            result = resize(whole._within_memory(resize(rgb, size), None, of), rgb.shape[1::-1])
            if self._mixes:
                denormalise(blend(normalise(rgb), normalise(result), self.look), result)
            return result
        small = reduce(rgb, size)
        of = small if of is None else of
        if not self.engine.whole and small.dtype == np.uint8:
            small = small.astype(np.uint16) * 257  # sharpening would double what rounding to 8 bits changes
        result = np.empty_like(rgb)

        def write(rows: slice, stylised: Floats) -> None:
            if self._mixes:
                stylised = blend(normalise(rgb[rows]), stylised, self.look)
            else:
                np.clip(stylised, -1, 1, out=stylised)
            denormalise(stylised, result[rows])

        stylised = whole._within_memory(small, None, of)
        enlarge(rgb, small, stylised, write, threads=self.threads or cores())
        return result

    def _within_memory(self, rgb: Array, enlarged: Array | None, of: Array | None) -> Array:
        """Stylise in as many tiles as the memory asks for."""
        room = available() // 2 // self.at_once // (LOCAL_BYTES if self.style.card.receptive_field else GLOBAL_BYTES)
        room = max(room, MIN_PIXELS)
        if self.style.card.receptive_field:
            room = min(room, MAX_TILE_PIXELS)
        while True:
            try:
                return self._stylise(rgb, enlarged, room, rgb if of is None else of)
            except Exception as error:
                if not ran_out(error):
                    raise
                room = less_room(self.style, room, rgb, error)

    def _stylise(self, rgb: Array, enlarged: Array | None, room: int, of: Array) -> Array:
        """Stylise with a network that is given at most `room` pixels at once, if it can be run in tiles.

        `of`: what a style that knows the whole picture is shown of it.
        """
        card, engine = self.style.card, self.engine
        height, width = rgb.shape[:2]
        if engine.whole and rgb.dtype != np.uint8:
            engine = pick(self.style, "fp32", self.threads, self.inputs)
        if engine.fix is not None:
            engine = engine.fix(of)
        side, margin = None, 0
        if height * width > room and (reach := card.reach):
            margin = round_up(reach // 2, card.multiple)
            side = max(isqrt(min(room, MAX_TILE_PIXELS)) - 2 * margin, MIN_SIDE)
            if not card.receptive_field:
                engine = freeze(self.style, self.threads, self._reduced(rgb, room), self.inputs)
        least = 1 if card.size else MIN_SIDE
        run = run_shifted if is_best(card, self.look) else run_network
        result = np.empty((height * card.scale, width * card.scale, 3), rgb.dtype)
        for tile in plan(
            height, width, tile=side, margin=margin, multiple=card.multiple, smallest=least, scale=card.scale
        ):
            piece = cut(rgb, tile)
            if engine.whole and not self._mixes:
                result[tile.inner] = run(self.style, engine, piece)[tile.core]
                continue
            photo = normalise(piece)
            stylised = normalise(run(self.style, engine, piece)) if engine.whole else run(self.style, engine, photo)
            shown = photo[:, *tile.core] if enlarged is None else normalise(enlarged[tile.inner])
            denormalise(blend(shown, stylised[:, *tile.core], self.look), result[tile.inner])
        return result

    def _reduced(self, rgb: Array, room: int) -> Floats:
        """The picture, reduced to at most `room` pixels, as the network takes it."""
        height, width = rgb.shape[:2]
        scale = (room / (height * width)) ** 0.5
        size = max(1, int(width * scale)), max(1, int(height * scale))
        (whole,) = plan(size[1], size[0], multiple=self.style.card.multiple, smallest=MIN_SIDE)
        return normalise(cut(resize(rgb, size), whole))

    def _enlarge(self, rgb: Array) -> Array:
        return resize(rgb, (rgb.shape[1] * self.style.card.scale, rgb.shape[0] * self.style.card.scale))

    @property
    def _shows_photo(self) -> bool:
        """Whether the photo is mixed into the result of a style that enlarges."""
        return self.style.card.scale > 1 and self._mixes

    @property
    def _mixes(self) -> bool:
        """Whether the result has something of the photo in it."""
        return self.look.strength < 1 or self.look.keep_color
