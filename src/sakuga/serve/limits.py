"""What the server takes and for how long it waits; everything past it is refused at once."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from sakuga.errors import UsageError
from sakuga.runtime.parallel import cores
from sakuga.serve.errors import RefusedError

MIB = 2**20
PROBE_SECONDS = 10
"""For finding out what is in a file: an honest one takes a fraction of one."""
DISK_FULL = "The server's disk is full: come back later."


def no_space() -> RefusedError:
    """The refusal where the disk is full."""
    return RefusedError(503, "no_space", DISK_FULL, 60)


def _workers() -> int:
    return 2 if cores() >= 4 else 1


@dataclass(frozen=True)
class Limits:
    """The limits of one server.

    `max_bytes` of a picture's file and `max_video_bytes` of a video's; `max_pixels` of a picture, all its frames
    together, before and after stylising; `max_side` of a picture or a video as it is stylised (None: any);
    `max_video_seconds`, of which each may have `frames_per_second` frames of `frame_pixels` pixels.
    `workers` pictures are stylised at a time, beside them one large picture and one video; `max_queue` more may
    wait, and `max_videos` are taken in all. `results` videos are kept, each for `keep_seconds`.
    A video may be made of `max_result_bytes`, all that are kept have `max_results_bytes`, and `min_free_bytes` of the
    disk are left alone.
    `connections` may be open at once, `client_connections` of them by one client. A client from which nothing comes for
    `idle_seconds`, or less than `bytes_per_second` on average after those, is let go; so is one that sends a file or
    takes a picture for more than `transfer_seconds`, because others wait for its place.
    Raises UsageError for a limit below 1.
    """

    max_bytes: int = 32 * MIB
    max_pixels: int = 50_000_000
    max_side: int | None = None
    max_video_seconds: int = 60
    max_video_bytes: int = 256 * MIB
    workers: int = field(default_factory=_workers)
    max_queue: int = 32
    max_videos: int = 4
    results: int = 32
    keep_seconds: float = 3600
    max_result_bytes: int = 256 * MIB
    max_results_bytes: int = 1024 * MIB
    min_free_bytes: int = 512 * MIB
    frames_per_second: int = 60
    frame_pixels: int = 4096 * 2304
    connections: int = 512
    client_connections: int = 64
    idle_seconds: float = 20
    bytes_per_second: int = 16 * 1024
    transfer_seconds: float = 600

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "max_side", "max_video_seconds", "workers", "max_queue"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")

    def check_space(self, folder: Path) -> None:
        """Raise RefusedError (503) where too little of the disk is free for a file of a stranger."""
        if shutil.disk_usage(folder).free < self.min_free_bytes:
            raise no_space()

    def check_side(self, what: str, width: int, height: int, max_side: int | None) -> None:
        """Raise RefusedError (413) for a picture or a video whose longer side, reduced to `max_side`, is too long."""
        longest = max(width, height)
        if self.max_side and min(longest, max_side or longest) > self.max_side:
            sentence = f"The {what} is {width}x{height}: ask for max_side={self.max_side}, which is the most here."
            raise RefusedError(413, "side_too_long", sentence)
