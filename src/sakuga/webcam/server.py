"""What the browser asks for: the page, the newest picture, endless streams, a snapshot, another style."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import encode
from sakuga.picture.types import Frame, Picture
from sakuga.runtime.http import SCRIPTS, host_name
from sakuga.webcam.choice import Choice

HOST = "127.0.0.1"
_PAGE = Path(__file__).with_name("page.html")
_HERE = {"127.0.0.1", "localhost", "::1"}
_PATIENCE = 5.0  # seconds that a viewer is kept waiting for the next picture
_MAX_BYTES = 32 << 20  # of what is posted: a picture that a style asks for
_BUFFER = 1 << 17  # bytes on their way to a slow viewer, whose picture would otherwise lag behind
_HEADERS = {
    "Cache-Control": "no-store",
    # Other sites may neither embed the picture nor frame the page; nor does the page load anything from elsewhere.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingTCPServer):
    """Serves what `choice` shows to the browsers of this machine, who may choose another style.

    Raises SakugaError when the port is taken or not permitted, UsageError when it is none.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 32
    allow_reuse_address = os.name != "nt"  # there it would let two programs have one port

    def __init__(self, port: int, choice: Choice) -> None:
        if not 0 <= port <= 65535:
            raise UsageError(f"port must lie between 0 and 65535, not {port}")
        self.choice, self.live = choice, choice.live
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
            other = port + 1 if 1024 <= port < 65535 else 7861
            raise SakugaError(f"port {port} {reason}: choose another (--port {other})") from error

    @property
    def address(self) -> str:
        """The page's."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what went wrong, unless it is that a viewer has left."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sakuga", ""
    timeout = 60
    _gets: ClassVar[Mapping[str, str]] = {
        "/": "page",
        **dict.fromkeys((f"/{name}" for name in SCRIPTS), "script"),
        "/state.json": "state",
        "/frame.jpg": "frame",
        "/before.mjpg": "stream",
        "/after.mjpg": "stream",
        "/snapshot.png": "snapshot",
    }

    def do_GET(self) -> None:
        self.url = urlsplit(self.path)
        if not self._admitted():
            return
        if name := self._gets.get(self.url.path):
            getattr(self, f"_{name}")()
        else:
            self._say(HTTPStatus.NOT_FOUND, f"there is nothing at {self.url.path}: open {self.server.address}")

    def do_POST(self) -> None:
        if not self._admitted():
            return
        url, size = urlsplit(self.path), self.headers.get("Content-Length", "")
        if url.path not in ("/style", "/input"):
            return self._refuse(HTTPStatus.NOT_FOUND, "post a style to /style, or what it asks for to /input")
        if not size.isdecimal() or len(size) > 9 or int(size) > (1000 if url.path == "/style" else _MAX_BYTES):
            return self._refuse(HTTPStatus.BAD_REQUEST, "post the name of a style, or a value of 32 MiB at most")
        data = self.rfile.read(int(size))
        try:
            if url.path == "/style":
                self.server.choice.choose(data.decode("utf-8", "replace"))
            else:
                query = parse_qs(url.query)
                style, name = (query.get(key, [""])[0] for key in ("style", "name"))
                self.server.choice.give(style, name, data)
        except LookupError as error:
            return self._say(HTTPStatus.NOT_FOUND, f"there is no {error.args[0]}: choose one of the page")
        except SakugaError as error:
            return self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        self._send(b"", "text/plain", status=HTTPStatus.NO_CONTENT)

    def _admitted(self) -> bool:
        """Refuse other sites: those that ask across origins, and those whose name was made to mean this machine.

        The second (DNS rebinding) is one origin to the browser; only the name it asks for gives it away.
        """
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        try:
            here = host_name(host) in _HERE
            same = origin is None or urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:
            here = same = False
        if not (here and same):
            self._refuse(HTTPStatus.FORBIDDEN, f"this camera is shown at {self.server.address} only")
        return here and same

    def _page(self) -> None:
        self._send(_PAGE.read_bytes(), "text/html; charset=utf-8")

    def _script(self) -> None:
        self._send(SCRIPTS[self.url.path[1:]].read_bytes(), "text/javascript")

    def _state(self) -> None:
        self._send(json.dumps(self.server.choice.state(), ensure_ascii=False).encode(), "application/json")

    def _frame(self) -> None:
        """Send the newest picture beside its stylised copy, as soon as it is another than ?after=NUMBER."""
        number = parse_qs(self.url.query).get("after", ["0"])[0]
        pair = self.server.live.after(int(number) if number.isdecimal() and len(number) < 19 else 0, _PATIENCE)
        if pair is None:
            return self._say(HTTPStatus.SERVICE_UNAVAILABLE, "there is no new picture")
        facts = {"X-Frame": str(pair.number), "X-Rate": f"{pair.rate:.1f}", "X-Style": quote(pair.style)}
        facts["X-Changes"] = str(self.server.choice.changes)
        self._send(pair.both, "image/jpeg", facts)

    def _stream(self) -> None:
        """Send JPEGs without end, each in the place of the one before, as cameras in a network do."""
        view = self.url.path[1:].partition(".")[0]
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        for name, value in {"Content-Type": "multipart/x-mixed-replace; boundary=next", **_HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"--next\r\n")
        number, live = 0, self.server.live
        while not live.ended.is_set():
            if pair := live.after(number, _PATIENCE):
                number, jpeg = pair.number, pair.jpegs[view]
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                # The boundary at once: browsers show a picture when they have seen the end of it.
                self.wfile.write(head.encode() + jpeg + b"\r\n--next\r\n")

    def _snapshot(self) -> None:
        pair = self.server.live.after(0, _PATIENCE)
        if pair is None:
            return self._say(HTTPStatus.SERVICE_UNAVAILABLE, "there is no picture yet")
        name = f"webcam-{time.strftime('%Y%m%d-%H%M%S')}.{pair.style}.png"
        plain = re.sub(r"[^A-Za-z0-9.() -]", "_", name)
        encoded = quote(name, safe="")
        attached = {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"}
        self._send(encode(Picture([Frame(pair.after)]), "PNG"), "image/png", attached)

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Answer a request of which nothing more is read: what else it sent is not the next one."""
        self.close_connection = True
        self._say(status, sentence)

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        self._send(sentence.encode(), "text/plain; charset=utf-8", status=status)

    def _send(
        self, data: bytes, kind: str, headers: Mapping[str, str] | None = None, status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        about = {"Content-Type": kind, "Content-Length": str(len(data))}
        for name, value in {**about, **_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a line for each picture would drown the address."""
