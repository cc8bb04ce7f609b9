"""The application: everything that a server shares, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from sakuga import __version__
from sakuga.serve import api_pictures, api_styles, api_videos, errors, pages
from sakuga.serve.catalogue import Catalogue
from sakuga.serve.gate import Gate
from sakuga.serve.jobs import Jobs
from sakuga.serve.lanes import Lane
from sakuga.serve.limits import Limits
from sakuga.serve.metrics import Metrics
from sakuga.serve.studio import Studio
from sakuga.serve.temporary import Folder
from sakuga.serve.work import Painters
from sakuga.style import Style

_SWEEP = 30  # seconds between looks for results that nobody needs any more


def create_app(
    styles: dict[str, Style], limits: Limits | None = None, *, hosts: frozenset[str] | None = None
) -> FastAPI:
    """The ASGI application that offers `styles`; `hosts` are the names by which it may be called (None: any).

    Its temporary folder is made here and removed when the application's lifespan ends, or the process.
    """
    limits = limits or Limits()
    painters, heavy = Painters(limits.workers), Painters(1)
    pictures = Lane("pictures", limits.workers + limits.max_queue, limits.workers)
    videos = Lane("videos", limits.max_videos, 1)
    metrics = Metrics(pictures, videos)
    jobs = Jobs(limits, videos, painters.idle, metrics.frames.inc)
    catalogue = Catalogue(styles, painters)
    studio = Studio(limits, catalogue, painters, heavy, pictures, videos, jobs, metrics, Folder())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(jobs))
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.to_thread(studio.close)

    app = FastAPI(
        title="sakuga",
        version=__version__,
        description="Turns pictures and video into anime. Errors are JSON: a sentence and a code.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # its page would load scripts from another host
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.studio = studio
    errors.install(app)
    app.include_router(api_pictures.router(studio))
    app.include_router(api_videos.router(studio))
    app.include_router(api_styles.router(studio))
    app.include_router(pages.router(app))
    uploads = {"/v1/stylize": (pictures, limits.max_bytes), "/v1/video": (videos, limits.max_video_bytes)}
    app.add_middleware(Gate, limits=limits, uploads=uploads, hosts=hosts, metrics=metrics)
    return app


async def _sweep(jobs: Jobs) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(_SWEEP)
            jobs.sweep()
