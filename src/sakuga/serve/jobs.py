"""Videos, stylised one at a time beside the pictures; each is a job that is asked for later."""

import asyncio
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict

from sakuga.errors import IncompleteError, SakugaError, TooLargeError
from sakuga.runtime.atomic import is_full
from sakuga.serve.errors import RefusedError
from sakuga.serve.limits import DISK_FULL, MIB, Limits
from sakuga.serve.queue import Queue
from sakuga.serve.uploads import VideoFileOptions
from sakuga.style import Style
from sakuga.stylizer import Stylizer
from sakuga.video import VideoOptions
from sakuga.video.strip import strip_metadata

log = logging.getLogger("sakuga.serve")
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
_LOOK_AT_DISK = 16  # frames between two looks at how much there is
_GIVE_WAY = 1.0  # seconds for which a video waits for pictures before its next frame


class Status(TypedDict):
    """What a client is told about a job."""

    id: str
    status: JobState
    url: str
    frames: int
    total: int | None
    seconds_left: float | None
    error: str | None
    result: str | None


class _CancelledError(Exception):
    """Raised in the middle of a video to end it."""


@dataclass
class Job:
    """One video: `folder` holds its source and then its result."""

    id: str
    folder: Path
    name: str
    style: Style
    options: VideoFileOptions
    inputs: dict[str, object]
    client: str
    status: JobState = "queued"
    frames: int = 0
    total: int | None = None
    error: str | None = None
    begun: float = 0
    ended: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    work: Future | None = None

    @property
    def source(self) -> Path:
        """What was uploaded; FFmpeg looks at its contents, whatever the suffix."""
        return self.folder / "source.mp4"

    @property
    def result(self) -> Path:
        """What is made of it."""
        return self.folder / "result.mp4"

    @property
    def bytes(self) -> int:
        """What lies on the disk, but for the source."""
        total = 0
        for file in self.folder.rglob("*"):
            with suppress(OSError):  # it is being replaced
                total += file.stat().st_size if file.is_file() and file != self.source else 0
        return total

    def describe(self) -> Status:
        """Its state."""
        url, left = f"/v1/jobs/{self.id}", None
        status = "cancelled" if self.cancelled.is_set() else self.status
        if status == "running" and self.frames and self.total:
            pace = (time.monotonic() - self.begun) / self.frames
            left = round(max(self.total - self.frames, 0) * pace, 1)
        result = f"{url}/result" if status == "done" else None
        return Status(
            id=self.id,
            status=status,
            url=url,
            frames=self.frames,
            total=self.total,
            seconds_left=left,
            error=self.error,
            result=result,
        )


class Jobs:
    """All jobs of a server, in a temporary folder that goes when it stops. Its methods are the event loop's."""

    def __init__(self, limits: Limits, queue: Queue, idle: threading.Event, count_frame: Callable[[int], None]) -> None:
        self.limits, self.queue, self.idle, self.count_frame = limits, queue, idle, count_frame
        self.jobs: dict[str, Job] = {}
        self.pool = ThreadPoolExecutor(1, "video")

    def add(
        self, folder: Path, name: str, style: Style, options: VideoFileOptions, inputs: dict[str, object], client: str
    ) -> Job:
        """Queue the video that lies in `folder`, which is the job's from now on."""
        job = Job(secrets.token_urlsafe(16), folder, name, style, options, inputs, client)
        self.jobs[job.id] = job
        self.queue.stay(client)
        job.work = self.pool.submit(self._run, job, asyncio.get_running_loop())
        self.sweep()
        return job

    def get(self, id: str) -> Job:
        """The job; raises RefusedError (404) where there is none any more."""
        if id not in self.jobs:
            raise RefusedError(404, "not_found", "There is no such job (any more): results are kept for a while only.")
        return self.jobs[id]

    def remove(self, id: str) -> None:
        """Cancel a job that is not finished, which can then still be asked about; forget a finished one."""
        job = self.get(id)
        if job.ended is None:
            job.cancelled.set()
            if job.work and job.work.cancel():  # it has not begun
                self._end(job, "cancelled")
        else:
            del self.jobs[id]
            shutil.rmtree(job.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Forget what has been kept for long enough, and the oldest where there is too much."""
        for job in list(self.jobs.values()):
            if job.ended is not None and time.monotonic() - job.ended > self.limits.keep_seconds:
                self.remove(job.id)
        self._make_room()

    def _make_room(self) -> None:
        """Forget the oldest results where there are too many, or too many bytes of them."""
        finished = sorted((job.ended, job.id, job.bytes) for job in self.jobs.values() if job.ended is not None)
        kept = 0
        for place, (_, id, size) in enumerate(reversed(finished)):
            kept += size
            if place >= self.limits.results or (place and kept > self.limits.max_results_bytes):
                self.remove(id)

    def close(self) -> None:
        """End everything and wait for it."""
        for job in self.jobs.values():
            job.cancelled.set()
        self.pool.shutdown()

    def _run(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        """Stylise it, in the video's thread."""
        status, error = self._stylize(job)
        if job.cancelled.is_set():
            status, error = "cancelled", None
        with suppress(RuntimeError):  # the loop has gone, and with it everybody who could ask
            loop.call_soon_threadsafe(self._end, job, status, error)

    def _end(self, job: Job, status: JobState, error: str | None = None) -> None:
        job.status, job.error, job.ended = status, error, time.monotonic()
        for file in job.folder.glob("*"):  # nothing where the server has stopped and removed the folder
            if status != "done" or file != job.result:
                shutil.rmtree(file, ignore_errors=True) if file.is_dir() else file.unlink(missing_ok=True)
        if job.begun:
            self.queue.record_duration(job.ended - job.begun)
        self.queue.leave(job.client)
        self._make_room()

    def _stylize(self, job: Job) -> tuple[JobState, str | None]:
        try:
            self._check(job)
            job.status, job.begun = "running", time.monotonic()
            stylizer = Stylizer(job.style, job.options.look(), inputs=job.inputs)
            missing = None
            try:
                stylizer.file(
                    job.source,
                    job.result,
                    max_pixels=self.limits.frame_pixels,
                    video=VideoOptions(stable=job.options.stable),
                    progress=lambda done, total: self._frame(job, done, total),
                )
            except IncompleteError as error:  # there is a result all the same
                missing = _sentence(job, error)
            self._check_disk(job)
            strip_metadata(job.result, everything=job.options.strip)
            return "done", missing
        except _CancelledError:
            return "cancelled", None
        except TooLargeError:  # frames that grew after they were looked at
            sentence = f"The video has frames of more than {self.limits.frame_pixels:,} pixels: make it smaller."
            return "failed", sentence
        except SakugaError as error:
            return "failed", DISK_FULL if is_full(error.__cause__) else _sentence(job, error)
        except Exception:
            log.exception("job %s failed", job.id)
            return "failed", "The server failed; whoever runs it finds the reason in its log."

    def _frame(self, job: Job, done: int, total: int | None) -> None:
        job.frames, job.total = done, total
        if done % _LOOK_AT_DISK == 0:
            self._check_disk(job)
        self.count_frame(1)
        if done > self.limits.max_video_seconds * self.limits.frames_per_second:
            raise SakugaError(f"the video has more than {done - 1} frames: cut it")
        self.idle.wait(_GIVE_WAY)
        self._check(job)

    def _check_disk(self, job: Job) -> None:
        if job.bytes > self.limits.max_result_bytes:
            most = self.limits.max_result_bytes // MIB
            raise SakugaError(f"the result has more than {most} MiB: ask for a smaller max_side, or cut the video")
        if shutil.disk_usage(job.folder).free < self.limits.min_free_bytes:
            raise SakugaError(DISK_FULL.removesuffix("."))

    def _check(self, job: Job) -> None:
        if job.cancelled.is_set():
            raise _CancelledError


def _sentence(job: Job, error: SakugaError) -> str:
    """An error as whoever sent the video reads it."""
    sentence = str(error).replace(str(job.source), "the video").replace(str(job.result), "the result")
    return f"{sentence[:1].upper()}{sentence[1:]}."
