"""The outermost layer: who may come in, within which limits, and that whatever happens is answered."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from sakuga.serve.errors import RefusedError
from sakuga.serve.exchange import Exchange, SlowReaderError
from sakuga.serve.headers import check_site
from sakuga.serve.lanes import Lane
from sakuga.serve.limits import Limits
from sakuga.serve.metrics import Metrics

log = logging.getLogger("sakuga.serve")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SMALL = 64 * 1024  # bytes that a request without a file may have


class Gate:
    """`uploads` says in which lane and with how many bytes a POST to a path comes."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        uploads: Mapping[str, tuple[Lane, int]],
        hosts: frozenset[str] | None,
        metrics: Metrics,
    ) -> None:
        self.app, self.limits, self.uploads, self.hosts, self.metrics = app, limits, uploads, hosts, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        lane, max_bytes = self.uploads.get(scope["path"] if scope["method"] == "POST" else "", (None, _SMALL))
        exchange = Exchange(scope, receive, send, self.limits, max_bytes)
        with self._counted(scope, exchange):
            try:
                check_site(scope["method"], exchange.headers, self.hosts)
                if lane is None:  # its body is not read: that the address is wrong says more than that it is too long
                    await self.app(scope, exchange.receive, exchange.send)
                else:
                    exchange.check_length()
                    with lane.place(client(scope)):
                        await self.app(scope, exchange.receive, exchange.send)
            except RefusedError as refused:
                await refused.response()(scope, exchange.receive, exchange.send)
            except ClientDisconnect:
                pass
            except SlowReaderError:
                raise  # the server then closes the connection
            except Exception:
                log.exception("%s %s failed", scope["method"], scope["path"])
                if exchange.status is not None:
                    raise
                failed = RefusedError(500, "failed", "The server failed; whoever runs it finds the reason in its log.")
                await failed.response()(scope, exchange.receive, exchange.send)

    @contextmanager
    def _counted(self, scope: Scope, exchange: Exchange) -> Iterator[None]:
        begin = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            yield
        # Labels from a fixed set: else strangers could make up as many as they like.
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.requests.labels(method, route, str(exchange.status or "left")).inc()
        self.metrics.seconds.labels(route).observe(time.perf_counter() - begin)


def client(scope: Scope) -> str:
    """The address of whoever asks."""
    return str((scope.get("client") or ("unknown", 0))[0])
