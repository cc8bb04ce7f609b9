"""Which sites may talk to the server, and what every answer tells the browser."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from sakuga.serve.errors import RefusedError

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
_SAFE = {"GET", "HEAD", "OPTIONS"}


def check_site(method: str, headers: Headers, hosts: frozenset[str] | None) -> None:
    """Raise RefusedError for a request that a page of another site has made.

    `hosts`: the names by which the server may be called, None for any. A server on this machine's own address must
    insist on them: else a foreign page whose name is made to point here would be of the same origin (DNS rebinding).
    Requests that change something are refused when their Origin is another one (cross-site request forgery).
    """
    host = headers.get("host", "")
    if hosts is not None and _hostname(host) not in hosts:
        raise RefusedError(403, "foreign_host", f"This server is not called {host[:100]!r}: open http://localhost.")
    if method in _SAFE:
        return
    origin = headers.get("origin")
    foreign = headers.get("sec-fetch-site") == "cross-site" if origin is None else _place(origin) != host
    if foreign:
        raise RefusedError(403, "foreign_origin", "Pages of other sites may not use this server.")


def loopback_hosts(host: str) -> frozenset[str]:
    """The names by which a server on a loopback address is called."""
    return frozenset({"localhost", "127.0.0.1", "::1", host})


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
