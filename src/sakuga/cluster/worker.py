"""What one process of a cluster does: it keeps the stylizers and makes one file after the other."""

import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sakuga.cluster.recipe import Recipe, read_checksum
from sakuga.errors import ExistsError, IncompleteError, SakugaError
from sakuga.faces.side_files import SUFFIXES as SIDE_SUFFIXES
from sakuga.runtime.atomic import rename
from sakuga.runtime.urls import Url, fetched, path_of, placed
from sakuga.stylizer import Stylizer
from sakuga.video.options import VideoOptions

MAX_TRIES = 3
"""Processes that one file may end, as for want of memory, before it is given up."""


@dataclass(frozen=True)
class Order:
    """What a run makes of every file: the recipes by the names of their styles, and what `Stylizer.file` is told."""

    recipes: Mapping[str, Recipe]
    format: str | None = None
    overwrite: bool = False
    max_pixels: int | None = None
    video: VideoOptions = field(default_factory=VideoOptions)
    checksums: bool = False
    """Whether the checksum of each result is wanted."""
    token: str = field(default_factory=lambda: secrets.token_hex(6))
    """What tells this run from others."""


@dataclass
class Outcome:
    """What became of one job: status is done, skipped or failed, `sentence` says why, `notes` are for people."""

    index: int
    status: str = "done"
    sentence: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    sha256: str = ""


class Worker:
    """Makes the files of blocks of jobs, each block being columns `index`, `source`, `target`, `style` and `part`.

    `part`: of a long video what is to be made of it, as [number, count]; empty: all, from what its parts have made.

    `styles`: the bytes of the style files by checksum, or what Ray keeps them as. `threads`: of each network.
    """

    def __init__(self, order: Order, styles: Mapping[str, Any], threads: int) -> None:
        self.order = order
        self.styles = styles
        self.threads = threads
        self.made: dict[str, Stylizer] = {}
        self.again = _is_restarted()

    def __call__(self, block: dict[str, Any]) -> dict[str, list[Any]]:
        """Work on a block; return the columns of its outcomes."""
        rows = zip(*(block[name] for name in ("index", "source", "target", "style", "part")), strict=True)
        outcomes = [
            self.work(int(index), str(source), str(target), str(style), *map(int, part))
            for index, source, target, style, part in rows
        ]
        self.again = False
        return {name: [getattr(one, name) for one in outcomes] for name in vars(Outcome(0))}

    def work(self, index: int, source: str, target: str, style: str, *part: int) -> Outcome:
        """Make one file, or a part of one; whatever goes wrong is in the outcome."""
        outcome, begun = Outcome(index), time.monotonic()
        mark = Path(tempfile.gettempdir()) / "-".join(map(str, ("sakuga", self.order.token, index, *part)))
        try:
            if mark.is_file() and mark.stat().st_size >= MAX_TRIES:
                raise SakugaError(f"{source} ended {MAX_TRIES} processes that worked on it: reduce it (--max-side)")
            with mark.open("ab") as tries:
                tries.write(b".")
            if part:
                self._make_part(Path(source), Path(target), self.stylizer(style), *part)
            else:
                outcome.sha256 = self._make(path_of(source), path_of(target), self.stylizer(style), outcome.notes)
        except ExistsError as error:
            # It was not there when the run began: a process of the block that was killed since had finished it.
            if self.order.overwrite:
                outcome.status, outcome.sentence = "failed", str(error)
        except SakugaError as error:
            outcome.status, outcome.sentence = "failed", str(error)
        except Exception as error:  # a fault of ours in one file must not cost the others
            outcome.status, outcome.sentence = "failed", f"{source}: unexpected {type(error).__name__}: {error}"
        mark.unlink(missing_ok=True)
        outcome.seconds = round(time.monotonic() - begun, 3)
        return outcome

    def _make(self, source: Path, target: Path, stylizer: Stylizer, notes: list[str]) -> str:
        """Make one file and return its checksum, where that is wanted."""
        order = self.order
        if self.again and not order.overwrite and isinstance(target, Url) and target.exists():
            raise ExistsError(str(target))
        with placed(target, overwrite=order.overwrite) as result, fetched(source) as photo:
            if photo != source and stylizer.is_for_faces:
                _fetch_side_file(source, photo)
            incomplete: SakugaError | None = None
            try:
                stylizer.file(
                    photo,
                    result,
                    format=order.format,
                    overwrite=order.overwrite,
                    max_pixels=order.max_pixels,
                    video=order.video,
                    warn=lambda note: notes.append(_renamed(note, (photo, source), (result, target))),
                )
            except SakugaError as error:
                incomplete = type(error)(_renamed(str(error), (photo, source), (result, target)))
                if not isinstance(error, IncompleteError):
                    raise incomplete from error
            checksum = read_checksum(result) if order.checksums else ""
        if incomplete:  # the rest of it was written, and has gone where it belongs
            raise incomplete
        return checksum

    def _make_part(self, source: Path, target: Path, stylizer: Stylizer, number: int, count: int) -> None:
        """Make a part of a long video, which waits beside the result."""
        from sakuga.video.part import stylize_part

        (one, workers), order = stylizer.for_frames(), self.order
        make = partial(stylize_part, scale=stylizer.scale, workers=workers, max_side=stylizer.look.max_side)
        make = partial(make, max_pixels=order.max_pixels, options=order.video, identity=one.identity)
        make(source, target, one.array, number, count)

    def stylizer(self, style: str) -> Stylizer:
        """Return the stylizer of a style, which is kept."""
        if style not in self.made:
            self.made[style] = self.order.recipes[style].make(self._fetch, self.threads)
        return self.made[style]

    def _fetch(self, sha256: str) -> bytes:
        data = self.styles[sha256]
        if isinstance(data, bytes):
            return data
        import ray

        fetched: bytes = ray.get(data)
        return fetched


def _renamed(sentence: str, *pairs: tuple[Path, Path]) -> str:
    """Name in a sentence what a person knows instead of the copies that were worked on."""
    for local, known in pairs:
        sentence = sentence.replace(str(local), str(known))
    return sentence


def _fetch_side_file(source: Path, photo: Path) -> None:
    """Bring the landmarks that lie beside a picture at an address."""
    for suffix in SIDE_SUFFIXES:
        side = source.with_name(source.stem + suffix)
        if side.is_file():
            with fetched(side) as copy:
                rename(copy, photo.with_name(side.name))
            return


def _is_restarted() -> bool:
    """Whether this is an actor of Ray that was killed before and begun anew."""
    try:
        import ray

        return ray.is_initialized() and bool(ray.get_runtime_context().was_current_actor_reconstructed)
    except (ImportError, AssertionError, RuntimeError):  # no actor
        return False
