"""Requests, answers and connections within limits of bytes and time, ended without breaking the connection."""

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sakuga.serve.errors import RefusedError
from sakuga.serve.limits import Limits
from sakuga.serve.queue import is_here

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
T = TypeVar("T")
_PIECE = 64 * 1024  # an answer is sent in pieces: a client that stops reading then holds no more than one
_HEAD_BYTES = 64 * 1024  # of a request
_FREE_CHUNKS, _CHUNK_BYTES = 1000, 256  # of a request: beyond the first, each is to bring so many bytes on average
_LINGER = 2.0  # seconds for which a refused client may still send


class SlowReaderError(Exception):
    """The client does not take the answer."""


class LimitedIO:
    """`receive` and `send` of an application, within the limits; `max_bytes` are those of the request's body.

    `max_seconds` is the most that either may take in all, for a request that holds a place others wait for.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        max_bytes: int,
        max_seconds: float | None = None,
    ) -> None:
        self.headers = Headers(scope=scope)
        self.limits, self.max_bytes, self.max_seconds = limits, max_bytes, max_seconds
        self.status: int | None = None  # of the answer, once it has begun
        self._receive, self._send = receive, send
        self._whole = scope["method"] in ("GET", "HEAD")  # whether nothing more of the request is to come
        self._bytes = self._sent = 0
        self._begin = self._send_begin = time.monotonic()
        self._received: float | None = None

    @property
    def seconds(self) -> float:
        """For how long the client has sent, and taken the answer."""
        now = time.monotonic()
        if self.status is None or not self._whole:  # it never came to an answer, or the answer is a refusal
            return (self._received if self._whole and self._received else now) - self._begin
        return (self._received or self._begin) - self._begin + now - self._send_begin

    def check_length(self) -> None:
        """Raise RefusedError where the header promises too much."""
        length = self.headers.get("content-length", "0")
        if int(length) > self.max_bytes:  # h11 lets nothing but digits through
            raise self._too_many()

    async def receive(self) -> Message:
        """The next piece of the request. Raises RefusedError when it is too much, too slow, or fills the disk."""
        if self._whole:
            return await self._receive()  # that the client has left is all that can come
        try:
            message = await self._timely(self._receive(), self._begin, self._bytes)
        except TimeoutError:
            raise RefusedError(408, "too_slow", "The file came too slowly: try again on a better line.") from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        self._received = time.monotonic()
        if self._bytes > self.max_bytes:
            raise self._too_many()
        if message.get("body"):  # which goes on to a temporary file; others may be sending too
            self.limits.check_space(Path(tempfile.gettempdir()))
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the answer. Raises SlowReaderError when the client does not take it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._send_begin = time.monotonic()
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
            if not self._whole:
                headers["Connection"] = "close"
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        view = memoryview(body)
        for at in range(0, len(view), _PIECE):
            await self._pass_on(view[at : at + _PIECE])
        if more:
            return
        if not self._whole:
            await self._linger()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(self, piece: memoryview) -> None:
        sending = self._send({"type": "http.response.body", "body": bytes(piece), "more_body": True})
        try:
            await self._timely(sending, self._send_begin, self._sent)
        except TimeoutError:
            raise SlowReaderError from None
        self._sent += len(piece)

    async def _linger(self) -> None:
        """Take what a refused client still sends: closing before would destroy the answer on its way."""
        if "expect" in self.headers:  # it waits for our leave to send
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                while (await self._receive()).get("more_body"):
                    pass

    async def _timely(self, doing: Awaitable[T], begin: float, moved: int) -> T:
        limits = self.limits
        left = begin + limits.idle_seconds + moved / limits.bytes_per_second - time.monotonic()
        if self.max_seconds is not None:
            left = min(left, begin + self.max_seconds - time.monotonic())
        async with asyncio.timeout(min(left, limits.idle_seconds)):
            return await doing

    def _too_many(self) -> RefusedError:
        return RefusedError(413, "too_large", f"The file has more than {self.max_bytes:,} bytes: make it smaller.")


class _Connection(h11.Connection):
    """The protocol's state; it refuses bodies in chunks of a few bytes, each of which costs what a large one does."""

    small_chunks = False
    _chunks = _body = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._body = 0
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._body += len(event.data)
            if self._chunks > _FREE_CHUNKS + self._body // _CHUNK_BYTES:
                self.small_chunks = True
                raise h11.RemoteProtocolError("chunks of a few bytes")
        return event


def protocol(limits: Limits) -> type[H11Protocol]:
    """The class of a server's connections."""

    of_client: Counter[str] = Counter()

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._state = self.conn = _Connection(h11.SERVER, _HEAD_BYTES)
            self._client = self.client[0] if self.client else "unknown"
            of_client[self._client] += 1
            self._seen: object = None
            self._timer = self.loop.call_later(limits.idle_seconds, self._look)
            too_many = of_client[self._client] > limits.client_connections and not is_here(self._client)
            if too_many or len(self.connections) > limits.connections:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
            of_client[self._client] -= 1
            if not of_client[self._client]:
                del of_client[self._client]
            super().connection_lost(exc)

        def _look(self) -> None:
            """Close what at two looks was in the same place: between requests, or with the end of an answer unread."""
            closing = self.transport.is_closing()
            seen = (self.cycle, closing)
            if seen == self._seen and (closing or self.cycle is None or self.cycle.response_complete):
                self.transport.abort()
            else:
                self._seen = seen
                self._timer = self.loop.call_later(limits.idle_seconds, self._look)

        def send_400_response(self, msg: str) -> None:
            if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # the answer has begun: there is no other
                self.transport.close()
                return
            error = "The file comes in chunks of a few bytes: send larger ones" if self._state.small_chunks else ""
            body = json.dumps({"error": error or "This is not HTTP.", "code": "bad_request"}).encode()
            headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return Protocol
