"""The command, and the page in a browser."""

import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from camera_clips import GRAYS, ask, served
from made_style import make_style

from sakuga.commands.webcam import main
from sakuga.errors import SakugaError, UsageError


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


def test_ctrl_c_ends_a_style_that_never_returns(clip, tmp_path):
    style = make_style(tmp_path / "endless.onnx", "endless")
    command = [sys.executable, "-m", "sakuga", "webcam", "--device", str(clip), "--port", "0", "-s", str(style)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(2)  # it is in the style's network by now
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (0, "sakuga: open this address in a browser; Ctrl-C ends\n\n")


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
        # The middle of the picture is one of these grays once the next frame is drawn.
        shown = """grays => {
            const [gray] = document.querySelector('canvas').getContext('2d').getImageData(10, 40, 1, 1).data;
            return grays.some(each => Math.abs(each - gray) < 6);
        }"""
        page.get_by_role("slider").focus()
        page.keyboard.press("End")  # all of it the camera
        page.wait_for_function(shown, arg=GRAYS)
        page.keyboard.press("Home")  # all of it stylised
        page.wait_for_function(shown, arg=[255 - gray for gray in GRAYS])
        page.get_by_label("same").check(force=True)
        page.wait_for_function("async () => (await (await fetch('state.json')).json()).style === 'same'")
        with page.expect_download() as download:
            page.keyboard.press("s")
        assert download.value.suggested_filename.startswith("webcam-")
        assert page.evaluate("document.documentElement.scrollWidth") == 390  # nothing sticks out
        assert wrong == []
        browser.close()
