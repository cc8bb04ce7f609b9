"""From a picture to its stylised copy: pad, tile, run, blend."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, fields, replace
from functools import partial
from hashlib import sha256
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.errors import NoFaceError, SakugaError, UsageError
from sakuga.faces.find import Face, faces_beside, find_faces
from sakuga.faces.track import FaceTracker
from sakuga.faces.weights import missing
from sakuga.picture import MAX_PIXELS, Frame, Picture, Source, dropped, read, to_pil, write
from sakuga.picture.arrays import denormalise, normalise, resize
from sakuga.picture.pixels import Array, match_histogram
from sakuga.runtime.atomic import check_free
from sakuga.runtime.console import say
from sakuga.runtime.memory import available, ran_out
from sakuga.runtime.parallel import cores
from sakuga.style import DEFAULT, Style, load
from sakuga.style.engine import pick
from sakuga.style.inputs import FRAME, STRENGTH
from sakuga.style.store import embedded
from sakuga.style.values import arrays
from sakuga.stylizer.brush import is_best, painted_size
from sakuga.stylizer.enlarge import enlarge, reduce
from sakuga.stylizer.faces import NO_FACE, SIDE, in_frames, with_faces
from sakuga.stylizer.fitted import fitted
from sakuga.stylizer.frozen import freeze
from sakuga.stylizer.look import Look
from sakuga.stylizer.piece import MIN_SIDE, blend, less_room, run_network, run_shifted
from sakuga.stylizer.tiles import cut, plan, round_up
from sakuga.video import SUFFIXES as VIDEO_SUFFIXES
from sakuga.video import VideoOptions, is_pattern, stylize_video
from sakuga.video.animated import becomes_video

Floats = NDArray[np.float32]

MAX_THREADS = 1024
MAX_TILE_PIXELS = 2688**2
"""The most pixels that a style which looks at surroundings is given at once: larger pieces save little, memory less."""
MIN_PIXELS = 512**2
"""Pixels that are given at once however little memory seems to be left."""
# Bytes that a network takes for each pixel at once: what fast ones take (60 to 130) and White-box (600), with room to
# spare; and the published generators, which take 900 to 1,700.
LOCAL_BYTES, GLOBAL_BYTES = 1024, 2048


class Stylizer:
    """Stylises pictures and videos with one style; keep it to keep the network loaded. Threads may share it.

    `style`: a Style, the name of one, or the path of a file.
    `look`: how the style is applied; `options` are fields of `Look` by keyword, which change it.
    `inputs`: what the style asks for beside the photo, by the names on its card (`sakuga info STYLE`): Python values or
    text as in `--set`.
    `threads`: how many the network computes with; None: one for each core.
    `after`: a stylizer whose results this one is given, as of two styles one after the other.
    Raises UsageError for an unknown style or a value out of range, SakugaError for a file that is not a style.
    """

    def __init__(
        self,
        style: Style | str | Path = DEFAULT,
        look: Look | None = None,
        *,
        inputs: Mapping[str, object] | None = None,
        threads: int | None = None,
        after: "Stylizer | None" = None,
        **options: Any,
    ) -> None:
        self.after = after
        self.look = replace(look or Look(), **options)
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}")
        if threads is not None and threads > MAX_THREADS:
            raise UsageError(f"threads must be at most {MAX_THREADS}, not {str(threads)[:20]}")
        self.style = style if isinstance(style, Style) else load(style)
        self.given = dict(inputs or {})
        """What was given for the style's inputs, as it was given."""
        knows = any(one.name == STRENGTH for one in self.style.card.settings)
        if knows and STRENGTH not in self.given and self.look.strength > 0:  # at 0 it is the photo itself
            self.given[STRENGTH], self.look = self.look.strength, replace(self.look, strength=1.0)
        card, given = self.style.card, dict(self.given)
        whole = card.frame is None or FRAME.check(given.pop(FRAME.name, FRAME.default)) == "whole"
        self.frame = None if whole else card.frame
        if self.look.faces and (sentence := missing()):
            raise UsageError(f"{sentence}, or leave out --faces")
        self.inputs = arrays(card.inputs, given, style=self.style.name, multiple=card.multiple, size=card.size)
        self.threads = threads
        self.engine = pick(self.style, self.look.precision, threads, self.inputs)
        self.underpainting: Stylizer | None = None
        """What paints light and shade of a picture before, at the best quality, as the card says."""
        if card.underpainting and self.look.quality != "fast":
            self.underpainting = self._painted_over(card.underpainting)
        self._at_once = 1  # pictures, which share the memory

    def _painted_over(self, name: str) -> "Stylizer":
        """As painters begin with a grisaille: two styles, each with colours of its own, would turn skin twice.

        Nor is it rounded to whole numbers twice, for squares of both would add up.
        """
        try:
            style = embedded(name)
        except SakugaError as error:
            raise SakugaError(f"style {self.style.name} is painted over {name}: {error}") from None
        look = replace(self.look, quality="best", keep_color=True, precision="fp32")
        return Stylizer(style, look, threads=self.threads)

    @property
    def name(self) -> str:
        """The style's name, after those of the styles before it: caricature+cel."""
        return f"{self.after.name}+{self.style.name}" if self.after else self.style.name

    @property
    def scale(self) -> int:
        """How many times wider and taller results are."""
        return self.style.card.scale * (self.after.scale if self.after else 1)

    def __call__(self, source: Source) -> Image.Image:
        """Stylise a picture given as a path, bytes, a file object, a PIL image or an array (H, W[, 1|3|4])."""
        return to_pil(self.picture(read(source)))

    def file(
        self,
        source: Path,
        target: Path,
        *,
        format: str | None = None,
        overwrite: bool = False,
        max_pixels: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
        video: VideoOptions | None = None,
        warn: Callable[[str], None] = say,
    ) -> None:
        """Stylise the picture or video `source` into `target`; the folder of `target` is made where it is missing.

        `format` concerns pictures, `video` videos, `max_pixels` (of a picture or of a frame of a video; None: as many
        as usual) both; `progress` is called for videos with frames done and in all. Numbered pictures (frames/%05d.png)
        are a video too, and so is an animated picture whose target is one. A video that was interrupted goes on where
        it was. `warn` is told, in a sentence, what a person should hear.
        """
        check_free(target, overwrite)
        if source.suffix.lower() in VIDEO_SUFFIXES or is_pattern(source) or becomes_video(source, target):
            _make_folder(target.parent)
            (worker, workers), scale, side = self.for_frames(), self.scale, self.look.max_side
            make = partial(stylize_video, scale=scale, workers=workers, max_side=side, identity=worker.identity)
            make = partial(make, max_pixels=max_pixels, overwrite=overwrite, progress=progress, options=video)
            track = self.tracker()
            make(source, target, worker.array, track=track, warn=warn)
            if self.is_for_faces and track and not track.seen:
                warn(f"{source}: no face was found, so nothing is changed (--set frame=whole takes the whole picture)")
        else:
            picture = read(source, max_pixels=max_pixels or MAX_PIXELS)
            try:
                picture = self.picture(picture, self.faces_beside(source, picture))
            except NoFaceError as error:
                raise NoFaceError(f"{source} {NO_FACE}") from error
            _make_folder(target.parent)
            write(picture, target, format=format, overwrite=overwrite)
            for note in filter(None, (picture.note, dropped(picture, format or target.suffix))):
                warn(f"{source}: {note}")

    def picture(self, picture: Picture, faces: Sequence[Face] | None = None) -> Picture:
        """Return the stylised copy of a picture, every frame of it.

        `faces`, in pixels of the picture, are what a style for faces stylises; None: those that are found. Raises
        NoFaceError where there is none.
        """
        each: list[Sequence[Face] | None] = [faces] * len(picture.frames)
        if self._finds_faces and faces is None:
            find = FaceTracker() if len(each) > 1 else find_faces
            each = [find(frame.rgb) for frame in picture.frames]
            if self.is_for_faces and not any(each):
                raise NoFaceError(f"the picture {NO_FACE}")
        worker = self if len(each) > 1 else self._for_picture()
        return replace(picture, frames=[worker._frame(*one) for one in zip(picture.frames, each, strict=True)])

    def _for_picture(self) -> "Stylizer":
        """What stylises a picture that does not move: at the best quality, unless the look says fast."""
        worker = copy(self)
        worker.look = replace(self.look, quality="best" if self.look.quality == "auto" else self.look.quality)
        worker.after = self.after and self.after._for_picture()
        return worker

    def faces_beside(self, source: Path, picture: Picture) -> list[Face] | None:
        """Return the face whose landmarks lie in a file beside a picture, for a style for faces; None: without one."""
        size = picture.frames[0].rgb.shape[1::-1]
        return (self.is_for_faces and faces_beside(source, size)) or None

    @property
    def is_for_faces(self) -> bool:
        """Whether it, or what is before it, changes faces alone, so that pictures must have one."""
        return self.frame is not None or (self.after is not None and self.after.is_for_faces)

    @property
    def _finds_faces(self) -> bool:
        return self.frame is not None or self.look.faces or (self.after is not None and self.after._finds_faces)

    def tracker(self) -> FaceTracker | None:
        """Return what finds the `faces` of one frame after another for `array`; None for what needs none."""
        return FaceTracker() if self._finds_faces else None

    def array(self, rgb: Array, faces: Sequence[Face] | None = None) -> Array:
        """Stylise RGB pixels (H, W, 3), uint8 or uint16 over their whole range, into as many of the same dtype.

        A style that enlarges returns (scale · H, scale · W, 3). One of a fixed size runs on the whole picture, reduced.
        One for faces changes them alone: `faces`, or (None) those that are found; without any, `rgb` is returned.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape or rgb.dtype not in (np.uint8, np.uint16):
            raise UsageError(f"rgb must be (height, width, 3) of uint8 or uint16, not {rgb.shape} of {rgb.dtype}")
        card = self.style.card
        found = find_faces(rgb) if faces is None and self._finds_faces else faces or ()
        if self.after:
            rgb, scale = self.after.array(rgb, found), self.after.scale
            found = [Face((face.points + 0.5) * scale - 0.5) for face in found]
        if self.underpainting and self.look.quality == "best":
            rgb = self.underpainting.array(rgb, found)
        if self.frame:
            return in_frames(rgb, found, self.frame, self._whole, multiple=card.multiple)
        stylized = self._whole(rgb)
        if not (self.look.faces and card.scale == 1 and self.look.strength > 0):
            return stylized
        brush = rgb.shape[1] / (painted_size(card, self.look, *rgb.shape[:2]) or rgb.shape[1::-1])[0]
        return with_faces(rgb, stylized, found, partial(self._whole, of=rgb), brush=brush)

    def _whole(self, rgb: Array, of: Array | None = None) -> Array:
        """Stylise pixels with no regard to faces in them.

        `of`: the picture of which they are a face; one of more than SIDE² pixels is stylised at that size.
        """
        if (size := self.style.card.size) and rgb.shape[:2] != size and self.style.card.scale == 1:
            return fitted(rgb, size, self._whole)
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
        whole = copy(self)
        whole.look = replace(self.look, strength=1.0, keep_color=False)
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
        room = available() // 2 // self._at_once // (LOCAL_BYTES if self.style.card.receptive_field else GLOBAL_BYTES)
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

    def with_threads(self, threads: int) -> "Stylizer":
        """Return the same stylizer with a network that computes with so many threads."""
        other = copy(self)
        other.threads, other.engine = threads, pick(self.style, self.engine.precision, threads, self.inputs)
        other.after = self.after and self.after.with_threads(threads)
        other.underpainting = self.underpainting and self.underpainting.with_threads(threads)
        return other

    def for_frames(self) -> tuple["Stylizer", int]:
        """What stylises the frames of a video, and how many at a time: on a processor a frame a core, one thread each.

        Nothing then waits for anything. But of styles that look at the whole picture each frame takes gigabytes.
        """
        workers = self.threads or cores()
        local = self.style.card.receptive_field and self.engine.name == "ONNX Runtime, CPU"
        if workers == 1 or not local or (self.after and self.after.for_frames()[1] == 1):
            return self, 1
        worker = self.with_threads(1)
        worker._at_once = workers
        return worker, workers

    @property
    def identity(self) -> dict[str, object]:
        """What `array` depends on."""
        engine = [self.engine.name, self.engine.precision, self.threads]
        inputs = {name: sha256(value.tobytes()).hexdigest() for name, value in self.inputs.items()}
        facts = {"style": self.style.file_sha256, "engine": engine, "look": asdict(self.look), "inputs": inputs}
        before = {"after": self.after, "underpainting": self.underpainting}
        return {**facts, "frame": self.frame is not None, **{k: one and one.identity for k, one in before.items()}}

    @property
    def _shows_photo(self) -> bool:
        """Whether the photo is mixed into the result of a style that enlarges."""
        return self.style.card.scale > 1 and self._mixes

    @property
    def _mixes(self) -> bool:
        """Whether the result has something of the photo in it."""
        return self.look.strength < 1 or self.look.keep_color

    def _enlarge(self, rgb: Array) -> Array:
        return resize(rgb, (rgb.shape[1] * self.style.card.scale, rgb.shape[0] * self.style.card.scale))

    def _frame(self, frame: Frame, faces: Sequence[Face] | None) -> Frame:
        height, width = frame.rgb.shape[:2]
        rgb, alpha = frame.rgb, frame.alpha
        most = self.look.max_side
        if most and max(height, width) > most:
            scale = most / max(height, width)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            rgb = resize(rgb, size)
            alpha = alpha if alpha is None else resize(alpha, size)
            faces = faces and [Face((face.points + 0.5) * size / [width, height] - 0.5) for face in faces]
        styled = self.array(rgb, faces)
        if alpha is not None and alpha.shape != styled.shape[:2]:
            alpha = resize(alpha, styled.shape[1::-1])
        return replace(frame, rgb=styled, alpha=alpha)

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


def stylize(
    source: Source, style: Style | str | Path = DEFAULT, look: Look | None = None, **options: Any
) -> Image.Image:
    """Stylise one picture: a path, bytes, a file object, a PIL image or an array.

    `options`: fields of `Look` by keyword, such as strength=0.5, and what the style asks for beside the photo, such as
    hair="blond". `Stylizer` describes the rest. Raises SakugaError when the picture or the style cannot be read,
    UsageError for a wrong option.
    """
    names = {one.name for one in fields(Look)}
    inputs = {name: value for name, value in options.items() if name not in names}
    chosen = {name: value for name, value in options.items() if name in names}
    return Stylizer(style, look, inputs=inputs, **chosen)(source)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SakugaError(f"{folder} cannot be made ({error.strerror}): choose another folder") from error
