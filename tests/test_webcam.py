"""The camera is a video file over and over, or FFmpeg's own test pattern, which is opened as a camera is."""

import errno
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace

import av
import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.style import styles
from sakuga.stylizer import Stylizer
from sakuga.webcam import camera
from sakuga.webcam.command import main
from sakuga.webcam.live import Live
from sakuga.webcam.server import Server

GRAYS = (40, 120, 200)


@pytest.fixture(autouse=True)
def installed(style_folder):
    """The styles `neg` (inverts), `same` and `double` (twice as wide and tall)."""
    for name, kind in (("neg", "invert"), ("same", "identity"), ("double", "double")):
        make_style(style_folder / f"{name}.onnx", kind)
    return style_folder


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "Ünïcødé 写真 (1)" / "my clip.mp4")


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


# --- the camera


def test_a_file_is_shown_over_and_over_at_its_own_pace(clip):
    begin = time.monotonic()
    shown = [
        int(frame.to_ndarray(format="rgb24")[-1].mean()) for frame in itertools.islice(camera.frames(str(clip)), 7)
    ]
    np.testing.assert_allclose(shown, [*GRAYS, *GRAYS, GRAYS[0]], atol=3)
    # Twice from the first frame to the third, 0.2 s each, and 0.04 s twice for the third.
    assert time.monotonic() - begin >= 0.48


def test_a_camera_gives_pictures_until_it_stops(monkeypatch):
    monkeypatch.setattr(camera, "FORMATS", {sys.platform: "lavfi"})
    pictures = camera.frames("testsrc=size=64x48:rate=30:duration=0.2")
    shapes = [next(pictures).to_ndarray(format="rgb24").shape for _ in range(6)]  # 0.2 s at 30 a second
    assert shapes == [(48, 64, 3)] * 6
    with pytest.raises(SakugaError, match="gives no more pictures: is it still connected"):
        next(pictures)


def test_a_camera_that_stumbles_goes_on(monkeypatch):
    """No picture yet, a damaged one, a good one, and 50 damaged ones on end."""
    damaged = av.error.InvalidDataError(errno.EINVAL, "damaged")
    answers = [av.error.BlockingIOError(errno.EAGAIN, "later"), damaged, "picture", *[damaged] * 50, "never seen"]

    class Device:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            answers.append("closed")

        def decode(self, video):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            yield answer
            raise damaged

    monkeypatch.setattr(av, "open", lambda *args, **options: Device())
    shown = []
    with pytest.raises(SakugaError, match="no more pictures"):  # noqa: PT012
        for frame in camera.frames("0"):
            shown.append(frame)
    assert shown == ["picture"]
    assert answers[-2:] == ["never seen", "closed"]


def test_what_ffmpeg_calls_a_camera(monkeypatch):
    assert camera._address("0", "v4l2") == "/dev/video0"
    assert camera._address("/dev/video2", "v4l2") == "/dev/video2"
    assert camera._address("1", "avfoundation") == "1"
    assert camera._address("Integrated Camera", "dshow") == "video=Integrated Camera"
    devices = [("Microphone", ["audio"]), ("Front", ["video"]), ("Back", ["video", "audio"])]
    found = [SimpleNamespace(description=name, media_types=types) for name, types in devices]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda kind: found, raising=False)
    assert camera._address("1", "dshow") == "video=Back"
    monkeypatch.setattr(camera, "FORMATS", {sys.platform: "dshow"})
    with pytest.raises(SakugaError, match=r"no camera 2 that can be opened \(2 cameras were found\)"):
        next(camera.frames("2"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (av.error.OSError(errno.EBUSY, "Device or resource busy"), "in use: close the program"),
        (av.error.PermissionError(errno.EACCES, "Permission denied"), r"may not be used \(Permission denied\): allow"),
        (av.error.FileNotFoundError(errno.ENOENT, "No such file"), r"no camera 7 .*\(No such file\).*--device FILE"),
        (ValueError("no container format 'v4l2'"), r"no camera 7 .*no container format.*--device FILE"),
    ],
)
def test_a_camera_that_cannot_be_opened(monkeypatch, error, words):
    def refuse(*args, **options):
        raise error

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(SakugaError, match=words):
        next(camera.frames("7"))


@pytest.mark.parametrize(("turn", "width", "shape"), [(None, 640, (48, 64)), (None, 32, (24, 32)), (90, 24, (32, 24))])
def test_pictures_are_reduced_and_upright(tmp_path, turn, width, shape):
    path = make_clip(tmp_path / "clip.mp4", turn=turn)
    rgb = camera.Reducer(width)(next(camera.frames(str(path))))
    assert (rgb.shape, rgb.dtype) == ((*shape, 3), np.uint8)
    # Its white half is the upper one; turned by 90 degrees counter-clockwise, the left one.
    white, gray = (rgb[:, 2], rgb[:, -3]) if turn else (rgb[2], rgb[-3])
    np.testing.assert_allclose([white.mean(), gray.mean()], [235, 40], atol=4)


# --- painting


class Painter(Stylizer):
    """Adds 1, when it may."""

    def __init__(self, may=None):
        self.style = SimpleNamespace(name="one")
        self.may = may

    def array(self, rgb):
        if self.may:
            assert self.may.acquire(timeout=10)
        return rgb + np.uint8(1)


def plain(value):
    return np.full((8, 8, 3), value, np.uint8)


def endless():
    while True:
        time.sleep(0.001)
        yield 7


def test_the_newest_picture_is_painted_and_older_ones_are_dropped():
    may, read = threading.Semaphore(0), threading.Event()

    def pictures():
        yield 0
        while live._frame is not None:  # the painter has taken 0
            time.sleep(0.001)
        yield from range(1, 101)
        read.set()
        live.ended.wait(10)

    live = Live(Painter(may), plain)
    with live.running(pictures()):
        assert read.wait(10)
        may.release()
        first = live.after(0, 10)
        may.release()
        second = live.after(first.number, 10)
        assert live.after(second.number, 0.01) is None
    assert (first.before[0, 0, 0], first.after[0, 0, 0]) == (0, 1)
    assert (second.before[0, 0, 0], second.after[0, 0, 0]) == (100, 101)
    assert (first.number, second.number) == (1, 2)
    assert live.error is None


def test_every_viewer_sees_each_picture():
    may = threading.Semaphore(0)
    live = Live(Painter(may), plain)
    seen = [[] for _ in range(5)]

    def look(into):
        number = 0
        while shot := live.after(number, 10):
            into.append(shot)
            number = shot.number

    viewers = [threading.Thread(target=look, args=(one,)) for one in seen]
    with live.running(endless()):
        for viewer in viewers:
            viewer.start()
        for number in range(1, 4):
            may.release()
            assert live.after(number - 1, 10).number == number
            while any(len(one) < number for one in seen):
                time.sleep(0.001)
        may.release(10)
    for viewer in viewers:
        viewer.join(10)
    assert all(one[:3] == seen[0][:3] for one in seen)


def test_the_rate_is_that_of_painted_pictures(monkeypatch):
    now = itertools.count(step=0.25)
    monkeypatch.setattr("sakuga.webcam.live.time", SimpleNamespace(monotonic=lambda: next(now)))
    live = Live(Painter(), plain)
    rates = [live._rate() for _ in range(20)]
    assert rates[0] == 0
    assert rates[1:] == [4.0] * 19  # four in a second, from the second one on
    assert len(live._times) == 9  # those of the last 2 s


def test_whoever_fails_ends_both():
    def pictures():
        yield 1
        raise SakugaError("camera 0 gives no more pictures")

    live = Live(Painter(), plain)
    before = threading.active_count()
    with live.running(pictures()):
        assert live.ended.wait(10)
        assert live.after(0, 10) is None
    assert str(live.error) == "camera 0 gives no more pictures"
    live = Live(Painter(), lambda frame: 1 / 0)
    with live.running(endless()):
        assert live.ended.wait(10)
    assert str(live.error) == "unexpected ZeroDivisionError: division by zero"
    assert threading.active_count() == before


# --- the server


@contextmanager
def served(clip, style="neg", port=0):
    live = Live(Stylizer(style), camera.Reducer(640))
    with Server(port, live, styles(), Stylizer) as server, live.running(camera.frames(str(clip))):
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


def test_frames_come_beside_their_painted_copies(clip):
    with served(clip) as server:
        answer = ask(server, "/frame.jpg")
        both = pixels(answer.read())
        number = int(answer.headers["X-Frame"])
        following = ask(server, f"/frame.jpg?after={number}")
        assert int(following.headers["X-Frame"]) > number
        assert float(following.headers["X-Rate"]) > 0
        assert (following.status, following.headers["X-Style"]) == (200, "neg")
    assert both.shape == (48, 128, 3)
    np.testing.assert_allclose(both[:, 4:60] + both[:, 68:124], 255, atol=8)  # a picture and its negative
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_style_that_enlarges_stands_beside_an_enlarged_picture(clip):
    with served(clip, "double") as server:
        assert pixels(ask(server, "/frame.jpg").read()).shape == (96, 256, 3)


@pytest.mark.parametrize("view", ["before", "after"])
def test_streams_are_jpegs_without_end(clip, view):
    with served(clip) as server:
        answer = ask(server, f"/{view}.mjpg")
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=next"
        seen = set()
        for _ in range(6):
            assert answer.readline() == b"--next\r\n"
            assert answer.readline() == b"Content-Type: image/jpeg\r\n"
            size = int(answer.readline().removeprefix(b"Content-Length: "))
            assert answer.readline() == b"\r\n"
            seen.add(round(pixels(answer.read(size))[-4].mean() / 10) * 10)
            assert answer.readline() == b"\r\n"
    # Lower rows, rounded to tens; of negatives, 255 - gray: 215, 135 and 55.
    assert seen <= ({40, 120, 200} if view == "before" else {210, 220, 130, 140, 50, 60})
    assert len(seen) >= 2


def test_a_snapshot_has_every_value(clip):
    with served(clip) as server:
        answer = ask(server, "/snapshot.png")
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"].endswith('.neg.png"')
        lower = pixels(answer.read())[-1]
    assert min(abs(lower.mean() - (255 - gray)) for gray in GRAYS) < 4


def test_the_style_can_be_changed(clip):
    with served(clip) as server:
        state = json.loads(ask(server, "/state.json").read())
        assert state["style"] == "neg"
        assert {one["name"] for one in state["styles"]} == {"neg", "same", "double"}
        assert ask(server, "/style", "POST", b"same").status == 204
        number = 0
        for _ in range(3):  # one could be in the making
            answer = ask(server, f"/frame.jpg?after={number}")
            number = answer.headers["X-Frame"]
        assert answer.headers["X-Style"] == "same"
        both = pixels(answer.read())
        np.testing.assert_allclose(both[:, 4:60], both[:, 68:124], atol=8)
        for body in (b"../../etc/passwd", b"gone", "写真".encode(), b"\xff"):
            answer = ask(server, "/style", "POST", body)
            assert (answer.status, b"choose one of the page" in answer.read()) == (404, True)
        assert ask(server, "/style", "POST", b"x" * 2000).status == 400
        assert ask(server, "/style", "POST").status == 400
        assert ask(server, "/elsewhere", "POST", b"same").status == 404
        assert ask(server, "/elsewhere").status == 404
        assert json.loads(ask(server, "/state.json").read())["style"] == "same"


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST", "localhost:22"])
def test_names_of_this_machine_are_admitted(clip, host):
    with served(clip) as server:
        assert ask(server, "/state.json", Host=host).status == 200
        assert ask(server, "/state.json", Host=host, Origin=f"http://{host}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:{port}"},  # whose name was made to mean 127.0.0.1
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:{port}", "Origin": "http://localhost.evil.example:{port}"},
        {"Host": "0.0.0.0:{port}"},
        {"Host": ""},
        {"Host": "["},
        {"Host": "evil.example@127.0.0.1:{port}", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1.evil.example:{port}"},
        {"Origin": "null"},
    ],
)
def test_other_sites_are_refused(clip, headers):
    with served(clip) as server:
        for path in ("/", "/frame.jpg", "/after.mjpg", "/snapshot.png", "/state.json"):
            answer = ask(server, path, **headers)
            assert (answer.status, answer.headers["Content-Type"]) == (403, "text/plain; charset=utf-8")
            assert answer.headers["Access-Control-Allow-Origin"] is None
        assert ask(server, "/style", "POST", b"same", **headers).status == 403
        assert server.live.stylizer.style.name == "neg"


def test_the_page_loads_nothing_from_elsewhere(clip):
    with served(clip) as server:
        answer = ask(server, "/")
        page = answer.read().decode()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "http://" not in page
        assert "https://" not in page
        with pytest.raises(OSError):  # noqa: PT011  (nothing listens on the other addresses)
            socket.create_connection(("127.0.0.2", server.server_address[1]), timeout=1).close()


def test_viewers_that_leave_are_no_trouble(clip, capfd):
    with served(clip) as server:
        for _ in range(5):
            answer = ask(server, "/after.mjpg")
            answer.read(100)
            answer.connection.sock and answer.connection.close()
            answer.close()
        assert ask(server, "/frame.jpg").status == 200
    assert "Traceback" not in capfd.readouterr().err


# --- the command


def test_ctrl_c_ends_with_status_0(clip):
    command = [sys.executable, "-m", "sakuga", "webcam", "--device", str(clip), "--port", "0", "-s", "neg"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        address = running.stdout.readline().strip()
        server = SimpleNamespace(server_address=("", int(address.rstrip("/").rpartition(":")[2])))
        assert ask(server, "/after.mjpg").read(2000)  # a viewer is there, and stays
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert running.returncode == 0
    assert (out, err) == ("", "sakuga: open this address in a browser; Ctrl-C ends\n\n")


@pytest.mark.skipif(sys.platform != "linux" or os.path.exists("/dev/video99"), reason="needs a camera that is missing")
def test_no_camera():
    with pytest.raises(SakugaError, match=r"no camera 99 .*No such file or directory.*--device FILE"):
        main(["-s", "neg", "--device", "99"])
    with pytest.raises(SakugaError, match=r"gone\.mp4 does not exist"):
        main(["-s", "neg", "--device", "gone.mp4"])


def test_a_port_that_is_taken(clip):
    with served(clip) as server:
        port = server.server_address[1]
        with pytest.raises(SakugaError, match=rf"port {port} is taken by another program: choose another \(--port "):
            main(["--device", str(clip), "-s", "neg", "--port", str(port)])


@pytest.mark.parametrize(
    "args", [["--port", "70000"], ["--width", "3"], ["--strength", "2"], ["--style", "gone"], ["--width", "wide"]]
)
def test_wrong_usage(clip, args):
    with pytest.raises((UsageError, SystemExit)) as raised:
        main(["-s", "neg", "--device", str(clip), *args])
    assert isinstance(raised.value, UsageError) or raised.value.code == 2


def test_in_a_browser(clip):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with served(clip) as server, sync_api.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(server.address)
        facts = page.locator("#facts", has_text="64×48")
        facts.wait_for()
        middle = "() => [...document.querySelector('canvas').getContext('2d').getImageData(10, 40, 1, 1).data]"
        page.locator("#split").focus()
        page.keyboard.press("End")  # all of it the camera
        assert min(abs(page.evaluate(middle)[0] - gray) for gray in GRAYS) < 6
        page.keyboard.press("Home")  # all of it painted
        assert min(abs(page.evaluate(middle)[0] - (255 - gray)) for gray in GRAYS) < 6
        page.get_by_label("same").check(force=True)
        page.wait_for_function("async () => (await (await fetch('state.json')).json()).style === 'same'")
        with page.expect_download() as download:
            page.keyboard.press("s")
        assert download.value.suggested_filename.startswith("webcam-")
        assert page.evaluate("document.documentElement.scrollWidth") == 390  # nothing sticks out
        assert wrong == []
        browser.close()
