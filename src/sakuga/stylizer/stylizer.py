"""From a picture to its stylised copy: pad, tile, run, blend."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, fields, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sakuga.errors import NoFaceError, SakugaError, UsageError
from sakuga.faces.find import Face, faces_beside, find_faces
from sakuga.faces.track import FaceTracker
from sakuga.faces.weights import missing
from sakuga.picture import MAX_PIXELS, Frame, Picture, Source, dropped, read, to_pil, write
from sakuga.picture.arrays import resize
from sakuga.picture.pixels import Array
from sakuga.runtime.atomic import check_free
from sakuga.runtime.console import say
from sakuga.runtime.parallel import cores
from sakuga.style import DEFAULT, Style, load
from sakuga.style.engine import pick
from sakuga.style.inputs import FRAME, STRENGTH
from sakuga.style.store import embedded
from sakuga.style.values import arrays
from sakuga.stylizer.brush import painted_size
from sakuga.stylizer.faces import NO_FACE, in_frames, with_faces
from sakuga.stylizer.look import Look
from sakuga.stylizer.painter import Painter
from sakuga.video import SUFFIXES as VIDEO_SUFFIXES
from sakuga.video import VideoOptions, is_pattern, stylize_video
from sakuga.video.animated import becomes_video

MAX_THREADS = 1024


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
        self.ground = self._ground() if self.look.quality != "fast" else None
        """The style of the underpainting, where the card asks for one."""
        self._at_once = 1  # pictures, which share the memory

    def _ground(self) -> Style | None:
        if not (name := self.style.card.underpainting):
            return None
        try:
            return embedded(name)
        except SakugaError as error:
            raise SakugaError(f"style {self.style.name} is painted over {name}: {error}") from None

    @property
    def underpainting(self) -> "Stylizer | None":
        """What paints light and shade of a picture before, at the best quality.

        In the picture's colours, as painters begin with a grisaille: two styles, each with colours of its own, would
        turn skin twice. And not in whole numbers, for squares of both would add up.
        """
        if self.ground is None or self.look.quality != "best":
            return None
        below = Stylizer(self.ground, replace(self.look, keep_color=True, precision="fp32"), threads=self.threads)
        below._at_once = self._at_once
        return below

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
        if below := self.underpainting:
            rgb = below.array(rgb, found)
        painter = Painter(self.style, self.look, self.engine, self.inputs, self.threads, self._at_once)
        if self.frame:
            return in_frames(rgb, found, self.frame, painter.paint, multiple=card.multiple)
        stylized = painter.paint(rgb)
        if not (self.look.faces and card.scale == 1 and self.look.strength > 0):
            return stylized
        brush = rgb.shape[1] / (painted_size(card, self.look, *rgb.shape[:2]) or rgb.shape[1::-1])[0]
        return with_faces(rgb, stylized, found, partial(painter.paint, of=rgb), brush=brush)

    def with_threads(self, threads: int) -> "Stylizer":
        """Return the same stylizer with a network that computes with so many threads."""
        other = copy(self)
        other.threads, other.engine = threads, pick(self.style, self.engine.precision, threads, self.inputs)
        other.after = self.after and self.after.with_threads(threads)
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
        one: Stylizer | None = worker
        while one:  # those before it paint as many at a time
            one._at_once = workers
            one = one.after
        return worker, workers

    @property
    def identity(self) -> dict[str, object]:
        """What `array` depends on."""
        engine = [self.engine.name, self.engine.precision, self.threads]
        inputs = {name: sha256(value.tobytes()).hexdigest() for name, value in self.inputs.items()}
        facts = {"style": self.style.file_sha256, "engine": engine, "look": asdict(self.look), "inputs": inputs}
        before = {"after": self.after, "underpainting": self.underpainting}
        return {**facts, "frame": self.frame is not None, **{k: one and one.identity for k, one in before.items()}}

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
