"""A real server in a thread of the test, and files to send."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import av
import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI
from PIL import Image

from sakuga.serve.app import create_app
from sakuga.serve.limited_io import protocol
from sakuga.serve.limits import Limits
from sakuga.serve.state import State
from sakuga.style import read


@dataclass
class Running:
    """A server and a client of it."""

    url: str
    app: FastAPI
    client: httpx.Client

    @property
    def state(self) -> State:
        return self.app.state.sakuga

    @property
    def address(self):
        return self.client.base_url.host, self.client.base_url.port


@contextmanager
def running(styles, hosts=None, **limits) -> Iterator[Running]:
    """Serve the style files `styles`."""
    limits = Limits(**{"workers": 1, **limits})
    app = create_app({path.stem: read(path) for path in styles}, limits, hosts=hosts)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=protocol(limits), ws="none", log_config=None, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=20) as client:
            wait_for(lambda: server.started)
            try:
                yield Running(url, app, client)
            finally:
                server.should_exit = True
                thread.join(10)
                assert not thread.is_alive(), "the server did not stop"


def wait_for(true, seconds=10):
    """Wait until a function says so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def picture(width=32, height=24, format="PNG", **options) -> bytes:
    """A picture with a colour of its own in every pixel."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 7 % 256, y * 9 % 256, (x + y) * 3 % 256], axis=-1).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(rgb).save(out, format, **options)
    return out.getvalue()


def video(frames=12, size=(64, 48), rate=12, format="mp4", metadata=None) -> bytes:
    """A video of single-coloured frames that grow brighter."""
    out = BytesIO()
    with av.open(out, "w", format=format) as writer:
        writer.metadata.update(metadata or {})
        stream = writer.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(frames):
            rgb = np.full((size[1], size[0], 3), 40 + 4 * index % 200, np.uint8)
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        writer.mux(stream.encode())
    return out.getvalue()
