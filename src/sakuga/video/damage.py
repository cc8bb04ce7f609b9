"""The parts of a video that cannot be read, pictures or sound: noted while the rest is stylized, told at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING

from sakuga.errors import SakugaError, TooLargeError
from sakuga.video import asf, avi, matroska
from sakuga.video.clock import Clock
from sakuga.video.container import (
    FrameSize,
    decode,
    frame_rate,
    length,
    open_container,
    packets,
    time_base,
    video_stream,
)
from sakuga.video.ends import ends_within

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_NEAR = Fraction(1, 2)  # seconds: faults that lie no farther apart are one for whoever looks at the video
_MAX_PARTS = 5
_BEFORE = 10  # seconds: more than lies between two frames that need no other


class Damage:
    """Parts of a file, from when to when in seconds of its own clock.

    `cut`: whether its end is missing; `unlisted`: whether that was a list of what there is; `resized`: whether
    frames of another size are among them.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[Fraction, Fraction]] = []
        self.cut = self.unlisted = self.resized = False

    def add(self, begin: Fraction, end: Fraction) -> None:
        """Note a part; they come in order, more or less."""
        if self.parts and begin <= self.parts[-1][1] + _NEAR:
            first, last = self.parts.pop()
            begin, end = min(begin, first), max(end, last)
        self.parts.append((begin, max(begin, end)))

    def within(self, begin: Fraction | None, end: Fraction | None) -> list[tuple[Fraction, Fraction]]:
        """Return the parts that reach into those seconds."""
        return [part for part in self.parts if (begin is None or part[1] > begin) and (end is None or part[0] < end)]

    def covers(self, part: tuple[Fraction, Fraction]) -> bool:
        """Whether a part lies within one of these, or as near as makes no difference."""
        return any(begin - _NEAR <= part[0] and part[1] <= end + _NEAR for begin, end in self.parts)


def in_words(parts: list[tuple[Fraction, Fraction]], origin: Fraction) -> str:
    """Say from when to when, as a player counts, whose clock begins at `origin`."""
    tenths = [(floor((begin - origin) * 10), ceil((end - origin) * 10)) for begin, end in parts[:_MAX_PARTS]]
    words = [f"{begin / 10:.1f} to {end / 10:.1f} s" for begin, end in tenths]
    more = f" and {len(parts) - _MAX_PARTS} more parts" if len(parts) > _MAX_PARTS else ""
    return ", ".join(words) + more


def whole_frames(
    reader: InputContainer,
    video: VideoStream,
    path: Path,
    damage: Damage,
    *,
    size: tuple[int, int] | None = None,
    sought: bool = False,
) -> Iterator[VideoFrame]:
    """Yield the frames that can be decoded as they were meant; the times of others are noted.

    `size` is that of the file's first frame, where `reader` has given one before; `sought`: it does not stand at its
    beginning.

    Raises TooLargeError for frames of more pixels than `reader` lets through.
    """
    base = time_base(video)
    origin = Fraction(reader.start_time or 0, 1_000_000)
    awaited: set[int] = set()  # times of packets whose frames have not come: decoders are some frames behind
    bad: set[int | None] = set()
    parts: list[tuple[Fraction, Fraction]] = []
    last, faults = round(origin / base), 0
    clock, size_of_first = Clock(reader, sought=sought), FrameSize(reader, size)
    try:
        for packet in packets(reader, video, path, clock):
            if packet.stream is not video:  # the index of the empty packets at the end is not theirs
                continue
            if packet.pts is not None:
                awaited.add(packet.pts)
            if packet.is_corrupt:
                bad.add(packet.pts)
                faults += 1
            elif packet.size and not any(memoryview(packet)[:64]):  # in which some see no fault
                faults += 1
            try:
                found = decode(packet, path)
            except TooLargeError:
                raise
            except SakugaError:
                found = []
                faults += 1
            for frame in found:
                if frame.is_corrupt or frame.pts in bad:
                    faults += 1
                    continue
                if size_of_first.differs(frame):
                    faults, damage.resized = faults + 1, True
                    awaited |= {time for time in [frame.dts if frame.pts is None else frame.pts] if time is not None}
                    continue
                if frame.pts is not None:
                    awaited.discard(frame.pts)
                    last = max(last, frame.pts)
                yield frame
        late = {pts for pts in awaited if pts > last}
        if not faults and late and clock.anew is None:
            faults += _faults_of(late, reader, path, last * base)
        last = max(awaited | {last})
        parts += _holes(reader, video, path, origin)
        damage.cut = ends_within(path, reader.format.name)
        damage.unlisted = damage.cut and "mp4" in reader.format.name
    except TooLargeError:
        raise
    except SakugaError:  # the file ends here, or what follows cannot be found
        damage.cut = True
    finally:
        step = 1 / frame_rate(video)
        parts += [(pts * base, pts * base + step) for pts in awaited if pts <= last and faults]
        if damage.cut:
            parts.append((last * base + step, max(last * base + step, origin + length(reader, video))))
        for part in sorted(parts):
            damage.add(*part)


def _holes(reader: InputContainer, video: VideoStream, path: Path, origin: Fraction) -> list[tuple[Fraction, Fraction]]:
    """What is missing by how the file is built, which FFmpeg passes over."""
    if "matroska" in reader.format.name:
        return matroska.holes(path, origin + length(reader, video))
    if reader.format.name == "avi":
        return avi.holes(path, video.index, 1 / frame_rate(video))
    return asf.holes(path, video.id) if reader.format.name == "asf" else []


def _faults_of(late: set[int], reader: InputContainer, path: Path, time: Fraction) -> int:
    """Decode the last frames again, from well before `time` on and one by one: threads keep their errors back.

    Those of other packets than the `late` ones are no faults: what is sought may begin in the midst of its references.
    """
    import av

    faults = 0
    with open_container(path, int(reader.options["max_pixels"])) as again:
        video = video_stream(again, path)
        video.thread_type = "NONE"
        with suppress(av.FFmpegError):  # a file without an index is read from its beginning
            again.seek(max(0, int((time - _BEFORE) * 1_000_000)))
        for packet in again.demux(video):
            try:
                faults += any(frame.is_corrupt and frame.pts in late for frame in decode(packet, path))
            except SakugaError:
                faults += packet.pts in late
    return faults
