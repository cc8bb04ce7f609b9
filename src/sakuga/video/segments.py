"""Finished parts of a video in a folder beside the result, so that a run that was killed can go on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sakuga.errors import ExistsError, SakugaError
from sakuga.runtime.atomic import rename, temporary_name

if TYPE_CHECKING:
    from av import Packet

LENGTH = 120
"""Frames in a segment. Each begins with a key frame and refers to no other, so that together they are one video."""

_MAX_NAME_BYTES = 200  # of most file systems 255

State = Mapping[str, Any]


class WorkFolder:
    """`.NAME.sakuga-part` beside the result NAME: segments, and what they are segments of.

    `identity`: everything that the result depends on; segments of anything else are thrown away. None: nothing is
    known of it, so that no run can go on from here. `shared`: several processes save segments there at once. Raises
    ExistsError when another run works there, SakugaError when the folder cannot be made.
    """

    def __init__(self, target: Path, identity: Mapping[str, Any] | None, *, shared: bool = False) -> None:
        name = target.name
        if len(os.fsencode(name)) > _MAX_NAME_BYTES:
            name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
        self.path = target.with_name(f".{name}.sakuga-part")
        self.result = self.path / "result"
        self.lasting = identity is not None
        text = json.dumps(identity, indent=1, sort_keys=True)  # in ASCII: names need not be UTF-8
        self._held: int | None = None
        facts = self.path / "made-of.json"
        try:
            self._lock(target, shared)
            if not self.lasting or not facts.is_file() or facts.read_text(encoding="utf-8") != text:
                for file in self.path.iterdir():
                    file.unlink(missing_ok=True)
                _write(facts, text.encode())
        except OSError as error:
            raise SakugaError(f"{self.path} cannot be made ({error.strerror}): choose another folder") from error

    def _lock(self, target: Path, shared: bool) -> None:
        """Make the folder and keep other runs, but those that share it, out of it until `release`."""
        self.path.mkdir(exist_ok=True)
        if sys.platform == "win32":
            return
        import fcntl

        self._held = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._held, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise ExistsError(f"{target} is being made by another run: wait for it") from None
        except OSError:  # a file system without locks
            return
        if not self.path.exists():  # the other run has just ended
            self.release()
            self._lock(target, shared)

    def release(self) -> None:
        """Let other runs into the folder."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @property
    def finished(self) -> int:
        """The number of segments that are there, counted from the first one without a gap."""
        number = 0
        while self.has(number):
            number += 1
        return number

    def has(self, number: int) -> bool:
        """Whether a segment is there."""
        return self._segment(number).is_file()

    def cut(self, count: int) -> None:
        """Remove the segments from number `count` on."""
        for file in self.path.glob("*.npz"):
            if int(file.stem) >= count:
                file.unlink()

    def save(self, number: int, packets: list[Packet], state: State | None) -> None:
        """Write a segment, whole or not at all, and the state that the next one goes on with."""
        table = [(packet.pts or 0, packet.duration or 0, packet.size, packet.is_keyframe) for packet in packets]
        data = b"".join(map(bytes, packets))
        arrays: dict[str, Any] = {f"state.{name}": value for name, value in (state or {}).items()}
        temporary = temporary_name(self.path / "unfinished")
        with temporary.open("wb") as file:
            np.savez(file, table=np.array(table, np.int64), data=np.frombuffer(data, np.uint8), **arrays)
            if self.lasting:  # else no later run reads it, and a busy disk takes seconds
                file.flush()
                os.fsync(file.fileno())
        rename(temporary, self._segment(number))

    def packets(self) -> Iterator[Packet]:
        """Yield the packets of all segments, in decoding order."""
        import av

        for number in range(self.finished):
            with np.load(self._segment(number)) as segment:
                data, start = segment["data"].tobytes(), 0
                for pts, duration, size, is_key in segment["table"].tolist():
                    packet = av.Packet(data[start : start + size])
                    packet.pts, packet.duration, packet.is_keyframe = pts, duration, bool(is_key)
                    start += size
                    yield packet

    def state(self) -> State:
        """Return the state saved with the last finished segment."""
        with np.load(self._segment(self.finished - 1)) as segment:
            return {name.removeprefix("state."): segment[name] for name in segment.files if name.startswith("state.")}

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        if self.path.is_dir():
            shutil.rmtree(self.path)

    def _segment(self, number: int) -> Path:
        return self.path / f"{number:06}.npz"


def _write(path: Path, data: bytes) -> None:
    temporary = temporary_name(path)
    temporary.write_bytes(data)
    rename(temporary, path)
