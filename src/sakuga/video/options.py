"""What can be asked of a video, declared once (the fields of VideoOptions are flags of `sakuga stylize`), and of what
kind a result may be.
"""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from glob import has_magic
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from sakuga.errors import UsageError
from sakuga.runtime.flags import Flag, Text

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".flv", ".f4v"}) | {
    *(".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".asf"),
}
"""The suffixes by which a video is known."""

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""The suffixes that a video may be written with, each with its muxer."""

ANIMATIONS = {".gif": "gif", ".webp": "webp"}
"""The suffixes of animated pictures that a video may become."""

_TIME = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d*)?|\.\d+)")  # hours, minutes, seconds


@dataclass(frozen=True)
class Codec:
    """An encoder of libav: its name there, what it is told, the usual and the worst constant rate factor.

    `delay`: by how many frames decoding runs ahead of showing. `subsampled_odd`: whether colour can be halved at odd
    sizes.
    """

    encoder: str
    crf: int
    worst: int
    options: dict[str, str] = field(default_factory=dict)
    delay: int = 0
    subsampled_odd: bool = True

    def in_order(self) -> "Codec":
        """The same encoder, decoding its frames in the order in which they are shown.

        MP4 keeps no other lengths of frames than those between decoding times: where the frames last differently, a
        file that decodes ahead would end too early or too late.
        """
        (key,) = [key for key in self.options if key.endswith("-params")] if self.delay else [""]
        ordered = {key: f"{self.options[key]}:bframes=0"} if key else {}
        return replace(self, options={**self.options, **ordered}, delay=0)


# The presets leave the processor to the network (benchmarks/video.py prints what an encoder takes of it): x264's
# ultrafast with what costs little and shows most put back, which are the deblocking filter, 8x8 transforms and
# B-frames (b-adapt=0: without a search for where they fit). cpu-independent=1: else the same frames do not give the
# same bytes, not even on one machine. Each crf is near x264's 18 in decibels.
_X264 = "cpu-independent=1:no-deblock=0:deblock=0,0:8x8dct=1:bframes=3:b-adapt=0"
CODECS = {
    "h264": Codec("libx264", 18, 51, {"preset": "ultrafast", "x264-params": _X264}, 2, False),
    "h265": Codec("libx265", 18, 51, {"preset": "superfast", "x265-params": "log-level=error"}, 2, False),
    "vp9": Codec("libvpx-vp9", 24, 63, {"b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1"}),
    "av1": Codec("libsvtav1", 18, 63, {"preset": "9"}),
}


NUMBER = re.compile(r"%%|%(0?\d{0,2})d")
"""In a name of numbered pictures: a percent sign, or where the number stands and how wide it is."""


def is_sequence(name: str | Path) -> bool:
    """Whether a name stands for numbered pictures, as frames/%05d.png does; that of a video, 100%done.mp4, does not."""
    path = Path(name)
    numbers = [found[0] for found in NUMBER.finditer(path.name) if found[0] != "%%"]
    return len(numbers) == 1 and path.suffix.lower() not in SUFFIXES


def numbered(name: str, number: int) -> str:
    """Return the name of a picture of a sequence."""
    return NUMBER.sub(lambda found: "%" if found[0] == "%%" else format(number, f"{found[1]}d"), name)


def is_pattern(name: str | Path) -> bool:
    """Whether a name stands for several pictures: numbered ones, or by wildcards such as frames/*.png."""
    return (is_sequence(name) or has_magic(Path(name).name)) and not Path(name).exists()


def is_video_target(target: Path) -> bool:
    """Whether a name of a result means a video: by its suffix, or numbered pictures."""
    return target.suffix.lower() in (*CONTAINERS, *ANIMATIONS) or is_sequence(target)


Time = Annotated[str | None, arg(metavar="TIME", help_behavior_hint="")]


@dataclass(frozen=True)
class VideoOptions:
    """What is wanted of a video; all of it is optional.

    Raises UsageError for a value that cannot be.
    """

    start: Time = None
    """Begin here: seconds or H:MM:SS, as a player shows it."""
    duration: Time = None
    """Take this much of it: seconds or H:MM:SS."""
    fps: Text = None
    """Frames a second, such as 24, 29.97 or 30000/1001; otherwise those of the source at their own times. Of a
    sequence of pictures: by default 25."""
    codec: Annotated[Literal["h264", "h265", "vp9", "av1"] | None, arg(help_behavior_hint="")] = None
    """Codec of the result; by default h264, and vp9 for .webm."""
    crf: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Quality, from 0, the best, to 51 (h264, h265) or 63 (vp9, av1); by default 18, for vp9 24."""
    audio: Annotated[Literal["aac", "copy", "none"] | None, arg(help_behavior_hint="")] = None
    """Sound of the result; by default copied where the container takes it, and otherwise AAC (in .webm Opus)."""
    stable: Flag = False
    """Flicker less: what two frames both show is stylised alike. Takes about half as long again."""

    def __post_init__(self) -> None:
        if self.length is not None and self.length <= 0:
            raise UsageError(f"--duration must be more than 0, not {self.duration}")
        _ = self.begin, self.rate
        if self.crf is not None and not 0 <= self.crf <= (CODECS[self.codec].worst if self.codec else 63):
            raise UsageError(f"--crf must lie between 0 and {CODECS[self.codec or 'h264'].worst}, not {self.crf}")

    @property
    def begin(self) -> Fraction | None:
        """`start` in seconds."""
        return _seconds("--start", self.start)

    @property
    def length(self) -> Fraction | None:
        """`duration` in seconds."""
        return _seconds("--duration", self.duration)

    @property
    def rate(self) -> Fraction | None:
        """`fps` as a fraction; 23.976, 29.97 and their like are thousand 1001sts of a whole number."""
        if self.fps is None:
            return None
        try:
            rate = Fraction(str(self.fps))
        except (ValueError, ZeroDivisionError):
            rate = Fraction(0)
        if not 0 < rate <= 1000:
            raise UsageError(f"--fps must be a number up to 1000, or a fraction such as 30000/1001, not {self.fps}")
        ntsc = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
        return ntsc if rate.denominator != 1 and abs(rate - ntsc) < Fraction(1, 200) else rate

    def codec_for(self, target: Path) -> Codec:
        """Return the codec for a container; raises UsageError where it does not hold the one that is asked for."""
        webm = target.suffix.lower() == ".webm"
        name = self.codec or ("vp9" if webm else "h264")
        if webm and name not in ("vp9", "av1"):
            raise UsageError(f"{target} cannot hold {name}: take --codec vp9 or av1, or name the output .mkv or .mp4")
        codec = CODECS[name]
        if self.crf is not None and self.crf > codec.worst:
            raise UsageError(f"--crf must lie between 0 and {codec.worst} for {name}, not {self.crf}")
        return codec

    def given(self) -> list[str]:
        """Return the flags that differ from their defaults."""
        return [f"--{key}" for key, value in vars(self).items() if value is not None and value is not False]


_MAX_SECONDS = 10**9


def _seconds(flag: str, text: str | None) -> Fraction | None:
    if text is None:
        return None
    found = _TIME.fullmatch(str(text).strip()[:50])
    if found and (not found[2] or float(found[3]) < 60):
        hours, minutes, seconds = found.groups(default="0")
        value = int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds.rstrip(".") if seconds != "." else "0")
        if value <= _MAX_SECONDS:
            return value
    form = "seconds or H:MM:SS, such as 90, 1:30 or 0:01:30.5"
    raise UsageError(f"{flag} must be {form}, not {str(text)[:50]}")
