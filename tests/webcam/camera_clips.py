"""Clips that stand for a camera, and a page that shows one."""

import http.client
import threading
from contextlib import contextmanager
from io import BytesIO

import av
import numpy as np
from PIL import Image

from sakuga.style import styles
from sakuga.stylizer import Stylizer
from sakuga.video import camera
from sakuga.webcam.choice import Choice
from sakuga.webcam.live import Live
from sakuga.webcam.server import Server

GRAYS = (40, 120, 200)


def make_clip(path, grays=GRAYS, size=(64, 48), turn=None):
    """Write a clip of 10 frames a second, each of one gray; the upper half of the first one is white."""
    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if turn:
            stream.set_display_rotation(turn)
        for number, gray in enumerate(grays):
            rgb = np.full((size[1], size[0], 3), gray, np.uint8)
            if not number:
                rgb[: size[1] // 2] = 235
            out.mux(stream.encode(av.VideoFrame.from_ndarray(rgb)))
        out.mux(stream.encode())
    return path


@contextmanager
def served(clip, style="neg", port=0):
    live = Live(Stylizer(style), camera.Reducer(640))
    make = lambda style, given: Stylizer(style, inputs=given)  # noqa: E731
    with Server(port, Choice(live, styles(), make)) as server, live.running(camera.frames(str(clip))):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server, path, method="GET", body=None, **headers):
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value.format(port=port))
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    answer.connection = connection
    return answer


def pixels(data):
    with Image.open(BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)
