"""The clock of an MPEG stream, which is set anew where recordings were joined: it is made to go on, as in players."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer

JOINABLE = ("mpegts", "mpeg")
"""Containers whose clocks were started at any time, and can be started again."""

_AHEAD, _BACK = Fraction(10), Fraction(1, 10)  # seconds: a longer step is another clock, for FFmpeg's command too
_NEAR = 2  # packets of a stream between one that FFmpeg calls corrupt and the joint for which it does


class Clock:
    """Sets the times of packets in order; those of other containers stay. `sought`: they may begin anywhere.

    `anew` is when, in seconds, the clock was first set anew.
    """

    def __init__(self, reader: InputContainer, *, sought: bool = False) -> None:
        self.anew: Fraction | None = None
        self._joinable = reader.format.name in JOINABLE
        start = None if sought or reader.start_time is None else Fraction(reader.start_time, 1_000_000)
        self._latest = start
        self._now = self._before = Fraction(0)  # what is added, in seconds; streams pass a joint one after the other
        self._next: dict[int, Fraction] = {}
        self._added: dict[int, Fraction] = {}

    def through(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Yield the packets at their times; those just before a joint are corrupt to FFmpeg only because of it."""
        if not self._joinable:
            yield from packets
            return
        held: dict[int, list[Packet]] = {}  # what is called corrupt, and what follows, by stream
        for packet in packets:
            if not packet.size:  # the last ones, which flush decoders
                yield from chain.from_iterable(held.values())
                held.clear()
            joint = self._set(packet)
            waiting = held.pop(packet.stream_index, [])
            if joint or len(waiting) > _NEAR:
                for before in waiting:
                    before.is_corrupt = before.is_corrupt and not joint
                    yield before
                waiting = []
            if waiting or packet.is_corrupt:
                held[packet.stream_index] = [*waiting, packet]
            else:
                yield packet
        yield from chain.from_iterable(held.values())

    def _set(self, packet: Packet) -> bool:
        """Set the times of a packet; whether its stream's clock has been set anew before it."""
        index, joint = packet.stream_index, False
        if packet.size and packet.dts is not None and packet.stream.type in ("video", "audio"):
            time = packet.dts * packet.time_base
            fitting = (added for added in (self._now, self._before) if self._fits(index, time + added))
            added = next(fitting, None)
            if added is None:
                added = self._next.get(index, self._latest or time) - time
                self.anew = time + added if self.anew is None else self.anew
            joint = self._added.get(index, added) != added
            if added != self._now:
                self._now, self._before = added, self._now
            self._added[index] = added
            self._next[index] = time + added + (packet.duration or 0) * packet.time_base
            self._latest = max(self._latest or time + added, time + added)
        if self._now and packet.time_base:
            ticks = round(self._now / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        return joint

    def _fits(self, index: int, time: Fraction) -> bool:
        """Whether a packet's time follows on those of its stream, or on the latest of all."""
        if self._latest is None:
            return True
        expected = self._next.get(index)
        if expected is None:
            return abs(time - self._latest) <= _AHEAD
        return expected - _BACK <= time <= max(expected, self._latest) + _AHEAD
