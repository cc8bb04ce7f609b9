"""Connections that do not come to the point are closed; uvicorn alone would wait for their headers for ever."""

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from sakuga.serve.limits import Limits


def protocol(limits: Limits) -> type[H11Protocol]:
    """The class of a server's connections."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._seen: object = None
            self._timer = self.loop.call_later(limits.idle_seconds, self._look)
            if len(self.connections) > limits.connections:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
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
            body = json.dumps({"error": "This is not HTTP.", "code": "bad_request"}).encode()
            headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return Protocol
