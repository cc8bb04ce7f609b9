"""The outermost layer: which sites and clients are let in, and that whatever happens is answered and counted."""

import logging
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from sakuga.runtime.atomic import is_full
from sakuga.runtime.http import host_name
from sakuga.serve.errors import RefusedError
from sakuga.serve.limited_io import LimitedIO, SlowReaderError
from sakuga.serve.limits import Limits, no_space
from sakuga.serve.metrics import Metrics
from sakuga.serve.queue import Queue

log = logging.getLogger("sakuga.serve")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SMALL = 64 * 1024  # bytes that a request without a file may have
ADDRESSES = "*"
"""Among hosts: any address in numbers."""
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Admission:
    """`uploads` says in which queue and with how many bytes a POST to a path comes."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        uploads: Mapping[str, tuple[Queue, int]],
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
        method = scope["method"] if scope["method"] in _METHODS else "other"
        queue, max_bytes = self.uploads.get(scope["path"] if method == "POST" else "", (None, _SMALL))
        seconds = None if queue is None else self.limits.transfer_seconds
        io = LimitedIO(scope, receive, send, self.limits, max_bytes, seconds)
        with self._counted(scope, method, io):
            try:
                check_site(scope["method"], io.headers, self.hosts)
                if queue is None:  # its body is not read: that the address is wrong says more than that it is too long
                    await self.app(scope, io.receive, io.send)
                else:
                    io.check_length()
                    with queue.place(client(scope)):
                        try:
                            await self.app(scope, io.receive, io.send)
                        finally:
                            queue.record_transfer(client(scope), io.seconds)
            except RefusedError as refused:
                await refused.response()(scope, io.receive, io.send)
            except ClientDisconnect:
                pass
            except SlowReaderError:
                raise  # the server then closes the connection
            except Exception as error:
                log.exception("%s %r failed", method, scope["path"][:200])
                if io.status is not None:
                    raise
                sentence = "The server failed; whoever runs it finds the reason in its log."
                failed = no_space() if is_full(error) else RefusedError(500, "failed", sentence)
                await failed.response()(scope, io.receive, io.send)

    @contextmanager
    def _counted(self, scope: Scope, method: str, io: LimitedIO) -> Iterator[None]:
        begin = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            yield
        # Labels from a fixed set: else strangers could make up as many as they like.
        route = getattr(scope.get("route"), "path", "other")
        self.metrics.requests.labels(method, route, str(io.status or "left")).inc()
        self.metrics.seconds.labels(route).observe(time.perf_counter() - begin)


def client(scope: Scope) -> str:
    """The address of whoever asks."""
    return str((scope.get("client") or ("unknown", 0))[0])


def check_site(method: str, headers: Headers, hosts: frozenset[str] | None) -> None:
    """Raise RefusedError for a request that a page of another site has made.

    `hosts`: the names by which the server may be called, None for any; see `machine_hosts`. A server must insist on
    them: else a foreign page whose name is made to point here would be of the same origin (DNS rebinding).
    Requests that change something are refused when their Origin is another one (cross-site request forgery).
    """
    host = headers.get("host", "")
    name = host_name(host)
    known = hosts is None or name in hosts or (ADDRESSES in hosts and _is_address(name))
    if (name is None and host) or not known:
        sentence = f"This server is not called {host[:100]!r}: use its address, or allow the name (--allow-host)."
        raise RefusedError(403, "foreign_host", sentence)
    if method in _SAFE:
        return
    origin = headers.get("origin")
    foreign = headers.get("sec-fetch-site") == "cross-site" if origin is None else _place(origin) != host
    if foreign:
        raise RefusedError(403, "foreign_origin", "Pages of other sites may not use this server.")


def loopback_hosts(host: str) -> frozenset[str]:
    """The names by which a server on a loopback address is called."""
    return frozenset({"localhost", "127.0.0.1", "::1", host})


def machine_hosts() -> frozenset[str]:
    """The names by which a server that others can reach is called: those of this machine, and addresses.

    Whoever makes a foreign name point here cannot make a browser send an address in its place.
    """
    own = {socket.gethostname().lower(), socket.getfqdn().lower()}
    return frozenset({"localhost", *own, *(f"{name}.local" for name in own), ADDRESSES})


def _is_address(name: str | None) -> bool:
    try:
        return ip_address(name or "") is not None
    except ValueError:
        return False


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
