"""The application: everything that a server shares, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from sakuga import __version__
from sakuga.serve import errors, pages, pictures, styles, videos
from sakuga.serve.admission import Admission
from sakuga.serve.jobs import Jobs
from sakuga.serve.limits import Limits
from sakuga.serve.metrics import Metrics
from sakuga.serve.queue import Queue
from sakuga.serve.state import Folder, State
from sakuga.serve.workers import Workers
from sakuga.style import Style

_SWEEP = 30  # seconds between looks for results that nobody needs any more


def create_app(
    offered: dict[str, Style], limits: Limits | None = None, *, hosts: frozenset[str] | None = None
) -> FastAPI:
    """The ASGI application that offers styles; `hosts` are the names by which it may be called (None: any).

    Its temporary folder is made here and removed when the application's lifespan ends, or the process.
    """
    limits = limits or Limits()
    workers = Workers(limits.workers)
    picture_queue = Queue("pictures", limits.workers + limits.max_queue, limits.workers, limits.transfer_seconds)
    video_queue = Queue("videos", limits.max_videos, 1, limits.transfer_seconds)
    metrics = Metrics(picture_queue, video_queue)
    state = State(
        limits,
        styles.Styles(offered, workers),
        workers,
        Workers(1),
        Workers(2, "probe"),
        Workers(1, "probe"),
        picture_queue,
        video_queue,
        Jobs(limits, video_queue, workers.idle, metrics.frames.inc),
        metrics,
        Folder(),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(state.jobs))
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.to_thread(state.close)

    app = FastAPI(
        title="sakuga",
        version=__version__,
        description="Turns pictures and video into anime. Errors are JSON: a sentence and a code.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # its page would load scripts from another host
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.sakuga = state
    errors.install(app)
    app.include_router(pictures.router(state))
    app.include_router(videos.router(state))
    app.include_router(styles.router(state))
    app.include_router(pages.router(app))
    uploads = {"/v1/stylize": (picture_queue, limits.max_bytes), "/v1/video": (video_queue, limits.max_video_bytes)}
    app.add_middleware(Admission, limits=limits, uploads=uploads, hosts=hosts, metrics=metrics)
    return app


async def _sweep(jobs: Jobs) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(_SWEEP)
            jobs.sweep()
