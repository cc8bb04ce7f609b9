"""`sakuga serve` as a process: its first line, its mistakes, and how it ends."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from ipaddress import ip_address

import httpx
import pytest
import uvicorn
from running import picture, video, wait_for

from sakuga.commands import serve as command

# What libraries do at the interpreter's end takes seconds on a busy machine, and nothing ends it then.
SLOW_TO_END = (
    "import atexit, time; atexit.register(time.sleep, 60); from sakuga.cli import main; raise SystemExit(main())"
)


@pytest.fixture
def serve(tmp_path, made_style):
    """Start `sakuga serve` with the style invert and a folder of its own for temporary files."""
    (tmp_path / "Ünïcødé 写真 (1)").mkdir()
    styles = tmp_path / "Ünïcødé 写真 (1)" / "styles"
    styles.mkdir()
    for kind in ("invert", "endless"):
        (styles / f"{kind}.onnx").write_bytes(made_style(kind).read_bytes())
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    started = []

    def start(*args):
        env = {
            "PATH": "",
            "TMPDIR": str(temporary),
            "SAKUGA_STYLES": str(tmp_path / "none"),
            "PYTHONIOENCODING": "utf-8",
        }
        env |= {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "HOME")}
        command = [sys.executable, "-c", SLOW_TO_END, "serve", "--port", "0", "--styles", str(styles), *args]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        started.append(process)
        line = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        return process, found and found[0]

    yield start, temporary
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_ends_in_the_middle_of_work_and_leaves_nothing(serve, number):
    start, temporary = serve
    process, url = start()
    answer = httpx.post(f"{url}/v1/stylize", params={"style": "invert"}, files={"file": ("a.png", picture())})
    assert answer.status_code == 200
    job = httpx.post(f"{url}/v1/video", files={"file": ("a.mp4", video(frames=2400, rate=60))}).json()
    wait_for(lambda: httpx.get(f"{url}{job['url']}").json()["frames"] > 0)
    assert list(temporary.glob("sakuga-serve-*/*/source.mp4"))
    process.send_signal(number)
    _, said = process.communicate(timeout=15)
    assert process.returncode == 0
    assert said == ""
    assert list(temporary.glob("sakuga-*")) == []


@pytest.mark.parametrize("kind", ["picture", "video"])
def test_a_style_that_never_returns_does_not_keep_it_from_ending(serve, kind):
    start, temporary = serve
    process, url = start()
    if kind == "video":
        job = httpx.post(f"{url}/v1/video?style=endless", files={"file": ("a.mp4", video())}).json()
        wait_for(lambda: httpx.get(f"{url}{job['url']}").json()["status"] == "running")
    else:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as line:
            data = picture()
            head = f"POST /v1/stylize?style=endless HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
            line.sendall(head.encode() + data)
            wait_for(lambda: 'sakuga_queue_length{lane="pictures"} 1.0' in httpx.get(f"{url}/metrics").text)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - begin < 10
    assert (process.returncode, said) == (0, "")
    assert list(temporary.glob("sakuga-*")) == []


def test_what_libraries_log_stays_away_from_the_terminal():
    code = (
        "import logging, sakuga.commands.serve as s; s._log_only_ours();"
        "logging.getLogger('PIL').warning('theirs'); logging.getLogger('asyncio').error('theirs');"
        "logging.getLogger('sakuga.serve').warning('ours')"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
    assert said == "sakuga: ours\n"


def test_what_a_killed_server_left_goes_with_the_next_start(serve):
    start, temporary = serve
    killed, _ = start()
    (left,) = temporary.glob("sakuga-serve-*")
    (left / "source.mp4").write_bytes(b"private")
    start()
    (foreign,) = set(temporary.glob("sakuga-serve-*")) - {left}
    for folder in (left, foreign):  # as if they had been there for long
        os.utime(folder, (0, 0))
    killed.kill()
    killed.wait()
    start()
    assert not left.exists()
    assert foreign.exists()  # its server lives


def test_a_port_that_is_taken_is_one_sentence(capsys):
    from sakuga.cli import main

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(r"sakuga: port \d+ of 127\.0\.0\.1 cannot be used \([\w ]+\): choose another --port\n", said)


def test_other_hosts_are_a_warning_and_ctrl_c_is_no_error(serve):
    start, temporary = serve
    process, url = start("--host", "0.0.0.0", "--allow-host", "art.example")
    for host, status in (("anything.example", 403), ("192.168.1.5:7860", 200), ("art.example", 200)):
        assert httpx.get(url, headers={"Host": host}).status_code == status
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert process.returncode == 0
    assert list(temporary.glob("sakuga-*")) == []
    assert said.startswith("sakuga: warning: whoever can reach 0.0.0.0 can use this server")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("192.168.1.5", r"sakuga serves http://localhost:(\d+), to other devices http://192\.168\.1\.5:\1 \(API: .*\n"),
        (None, r"sakuga serves http://localhost:\d+ \(API: .*\n"),  # no network
    ],
)
def test_a_phone_is_told_where(own, said, made_style, monkeypatch, capsys):
    monkeypatch.setattr(command, "_own_address", lambda version: own)
    monkeypatch.setattr(uvicorn.Server, "startup", lambda self, sockets=None: asyncio.sleep(0))
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: asyncio.run(self.startup(sockets)))
    assert command.main(["--host", "0.0.0.0", "--port", "0", "--styles", str(made_style("invert").parent)]) == 0
    assert re.fullmatch(said, capsys.readouterr().out)


def test_the_own_address_is_one_or_none():
    for version in (4, 6):
        own = command._own_address(version)
        assert own is None or ip_address(own).version == version


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--styles", "/nowhere"], "/nowhere is not a folder with style files (.onnx): check --styles"),
        (["--max-queue", "0"], "max_queue must be at least 1, not 0"),
        (["--host", "nowhere.invalid"], "nowhere.invalid:7860 is no address of this machine: check --host and --port"),
        (["--port", "70000"], "port must lie between 0 and 65535, not 70000"),
    ],
)
def test_wrong_usage_is_one_sentence(args, sentence, capsys):
    from sakuga.cli import main

    assert main(["serve", *args]) == 2
    assert capsys.readouterr().err == f"sakuga: {sentence}\n"
