"""A bounded number of threads that stylise pictures, and a request's wait for one of them."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

T = TypeVar("T")


class Workers:
    """The threads. `idle` is set while there is nothing to do."""

    def __init__(self, threads: int, name: str = "worker") -> None:
        self.pool = ThreadPoolExecutor(threads, name)
        self.idle = threading.Event()
        self.idle.set()
        self._waiting: set[Future] = set()
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Have some work done when a thread is free."""
        with self._lock:
            future = self.pool.submit(work)
            self._waiting.add(future)
            self.idle.clear()
        future.add_done_callback(self._done)
        return future

    async def serve(self, request: Request, work: Callable[[threading.Event], T]) -> T:
        """Do work for a request that has been read to its end; when the client leaves, it is given up.

        `work` gets an event that is then set. Raises ClientDisconnect.
        """
        left = threading.Event()
        future = self.submit(lambda: work(left))
        waiting = asyncio.wrap_future(future)
        leaving = asyncio.ensure_future(_left(request))
        try:
            either: set[asyncio.Future[Any]] = {waiting, leaving}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            left.set()
            future.cancel()
            await asyncio.wait({waiting})  # it keeps its place until its thread is free
            waiting.cancelled() or waiting.exception()  # looked at, or asyncio complains
            raise ClientDisconnect
        finally:
            left.set()
            future.cancel()
            leaving.cancel()

    def close(self) -> None:
        """Wait for what is being done and give up what waits."""
        self.pool.shutdown(cancel_futures=True)

    def _done(self, future: Future) -> None:
        with self._lock:
            self._waiting.discard(future)
            if not self._waiting:
                self.idle.set()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
