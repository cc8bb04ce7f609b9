"""`sakuga serve`: the web page and the HTTP API on this machine."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import tyro
import uvicorn
from fastapi import FastAPI
from tyro.conf import DisallowNone, FlagCreatePairsOff, arg

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.http import host_name
from sakuga.runtime.signals import terminating
from sakuga.serve.admission import loopback_hosts, machine_hosts
from sakuga.serve.app import create_app
from sakuga.serve.limited_io import protocol
from sakuga.serve.limits import Limits
from sakuga.serve.styles import find

_GRACE_SECONDS, _MAX_SECONDS = 4, 7  # after a signal: for work to be finished, and until the process ends anyway
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
_DEFAULTS = Limits()


def main(args: Sequence[str]) -> int:
    """Run `sakuga serve` until it is stopped; the exit status."""
    status: int = tyro.cli(command, args=list(args), prog="sakuga serve", config=(DisallowNone,))
    return status


def command(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    styles: Annotated[list[Path] | None, arg(metavar="DIR...", help_behavior_hint="")] = None,
    max_side: Number = None,
    max_bytes: int = _DEFAULTS.max_bytes,
    max_pixels: int = _DEFAULTS.max_pixels,
    max_video_seconds: int = _DEFAULTS.max_video_seconds,
    workers: int = _DEFAULTS.workers,
    max_queue: int = _DEFAULTS.max_queue,
    allow_host: Annotated[list[str] | None, arg(metavar="NAME...", help_behavior_hint="")] = None,
    open: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False,
) -> int:
    """Serve a web page and an HTTP API (described at /docs). By default only this machine can reach them.

    Args:
        host: The address to listen at; 0.0.0.0 is all of this machine's.
        port: The port to listen at; 0 is any free one.
        styles: Folders of styles to offer beside those that `sakuga styles` lists.
        max_side: Refuse pictures and videos that would be stylised with a longer side than this.
        max_bytes: Refuse pictures of more bytes.
        max_pixels: Refuse pictures of more pixels, all frames of an animation together.
        max_video_seconds: Refuse longer videos.
        workers: Pictures that are stylised at a time.
        max_queue: Pictures that may wait for that; more are refused for the moment.
        allow_host: Names by which the server may be called beside this machine's own, as behind a proxy.
        open: Open the page in the browser.
    """
    _log_only_ours()
    limits = Limits(
        max_side=max_side,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_video_seconds=max_video_seconds,
        workers=workers,
        max_queue=max_queue,
    )
    offered = find(styles or [])
    with _listen(host, port) as listener:
        address = ip_address(listener.getsockname()[0].partition("%")[0])
        local = address.is_loopback
        hosts = loopback_hosts(host) if local else machine_hosts() | {host.lower()}
        app = create_app(offered, limits, hosts=hosts | {_host(name) for name in allow_host or ()})
        if not local:
            print(
                f"sakuga: warning: whoever can reach {host} can use this server: it asks for no password",
                file=sys.stderr,
            )
        here = host == "127.0.0.1" or address.is_unspecified
        port = listener.getsockname()[1]
        url = _url("localhost" if here else host, port)
        others = _own_address(address.version) if address.is_unspecified else None
        return _serve(app, limits, listener, url, open, others and _url(others, port))


def _host(name: str) -> str:
    found = host_name(name)
    if found is None:
        raise UsageError(f"--allow-host {name} is no name of a host: give it without http:// and path")
    return found


def _log_only_ours() -> None:
    """Show our own warnings and faults; what libraries log of strangers' files stays away from the terminal."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("sakuga: %(message)s"))
    logging.getLogger("sakuga").addHandler(handler)
    logging.getLogger().addHandler(logging.NullHandler())  # else Python would print them as a last resort


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens, or a sentence about why there is none."""
    if not 0 <= port <= 65535:
        raise UsageError(f"port must lie between 0 and 65535, not {port}")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UsageError(f"{host}:{port} is no address of this machine: check --host and --port") from None
    try:
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        reason = os.strerror(error.errno or 0)  # its own text also tells the address
        raise SakugaError(f"port {port} of {host} cannot be used ({reason}): choose another --port") from None


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _own_address(version: int) -> str | None:
    """What the devices around call this machine; None without a network."""
    family, documentation = (socket.AF_INET, "192.0.2.1") if version == 4 else (socket.AF_INET6, "2001:db8::1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((documentation, 9))  # sends nothing: only the route is looked up
            own: str = probe.getsockname()[0]
            return own
    except OSError:
        return None


def _serve(app: FastAPI, limits: Limits, listener: socket.socket, url: str, open: bool, others: str | None) -> int:
    config = uvicorn.Config(
        app,
        http=protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level=logging.CRITICAL,  # what goes wrong inside a request is logged by the gate
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else any local client could say that it is another one
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, url, open, others)
    # uvicorn raises the signal that stopped it again; it must not end the process before it has cleaned up. It knows
    # nothing of SIGHUP.
    before = {number: signal.signal(number, server.handle_exit) for number in terminating()}
    try:
        server.run([listener])
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        app.state.sakuga.close()
        if server.should_exit:  # all is done, and the interpreter's end takes seconds on a busy machine
            _leave()
    return 0


def _leave() -> NoReturn:
    sys.stdout.flush()
    os._exit(0)


class _Server(uvicorn.Server):
    """Says where it is once it answers."""

    def __init__(self, config: uvicorn.Config, url: str, open: bool, others: str | None) -> None:
        super().__init__(config)
        self.url, self.open, self.others = url, open, others

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, and see to it that nothing can prevent that, such as a style that never returns."""
        if not self.should_exit:
            timer = threading.Timer(_MAX_SECONDS, self._leave)
            timer.daemon = True
            timer.start()
        super().handle_exit(sig, frame)

    def _leave(self) -> None:
        self.config.app.state.sakuga.temporary.remove()  # type: ignore[union-attr]
        _leave()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        around = f", to other devices {self.others}" if self.others else ""
        print(f"sakuga serves {self.url}{around} (API: {self.url}/docs); Ctrl-C stops it", flush=True)
        if self.open:
            await asyncio.to_thread(webbrowser.open, self.url)
