"""What is said of a head that runs: it asks for a token, and is of our version or not. Starts Ray."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_style import make_style
from PIL import Image

ASK = """
import sys
from sakuga.cluster.nodes import connected, cpus
try:
    with connected(sys.argv[1]) as ray:
        print(cpus(ray))
except Exception as error:
    print(type(error).__name__, error)
"""
OTHER_VERSION = """
import json, sys
from ray._raylet import GcsClient
other = {"ray_version": "2.1.0", "python_version": "3.8.1", "ray_init_cluster": False}
GcsClient(sys.argv[1]).internal_kv_put(b"CLUSTER_METADATA", json.dumps(other).encode(), True, b"cluster")
"""


def python(code, address, home, **settings):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(home), **settings}
    return subprocess.Popen(
        [sys.executable, "-c", code, address],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def head(tmp_path):
    """The addresses of a head with a token, for machines and for clients, and the home folder where that lies."""
    pytest.importorskip("ray.data")
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("0123456789abcdef" * 4, encoding="utf-8")
    with socket.socket() as free, socket.socket() as other:
        for one in (free, other):
            one.bind(("127.0.0.1", 0))
        port, client = (one.getsockname()[1] for one in (free, other))
    ray = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--port", str(port)]
    ray += ["--num-cpus", "1", "--include-dashboard", "false", "--ray-client-server-port", str(client)]
    environment = {**os.environ, "HOME": str(tmp_path), "RAY_USAGE_STATS_ENABLED": "0"}
    environment.pop("RAY_AUTH_MODE", None)
    with subprocess.Popen(ray, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        waited = [port, client]
        for _ in range(600):
            with socket.socket() as one:
                if not one.connect_ex(("127.0.0.1", waited[0])):
                    del waited[0]
            if not waited:
                break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}", f"ray://127.0.0.1:{client}", tmp_path
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def test_what_a_head_is_told_and_tells(head, tmp_path):
    address, _client, home = head
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    cases = {
        python(ASK, address, home): "[1]",
        python(ASK, address, stranger): "asks for a token, and this machine has none: copy ~/.ray/auth_token",
        python(ASK, address, stranger, RAY_AUTH_TOKEN="f" * 64): "refuses the token of this machine: copy",
        python(ASK, address, home, RAY_AUTH_MODE="disabled"): "RAY_AUTH_MODE=disabled sends none: unset it",
        python(ASK, address, home, RAY_AUTH_TOKEN_PATH="none"): "cannot be read: check RAY_AUTH_TOKEN_PATH",
        python(ASK, "127.0.0.1:1", home): "no Ray answers at 127.0.0.1:1",
    }
    for process, sentence in cases.items():
        assert sentence in process.communicate(timeout=90)[0]
    python(OTHER_VERSION, address, home, RAY_AUTH_MODE="token").communicate(timeout=90)
    said = python(ASK, address, home).communicate(timeout=90)[0]
    assert f"at {address} is Ray 2.1.0 with Python 3.8.1, and here is Ray" in said


def test_a_client_of_a_head(head):
    """Ray Data does not know clients: the work is then gone through on the cluster, with the same bytes."""
    _address, client, home = head
    (home / "in").mkdir()
    for number in range(3):
        Image.new("RGB", (64, 48), (number * 80, 90, 30)).save(home / "in" / f"{number}.png")
    (home / "in" / "bad.png").write_text("no picture")
    make_style(home / "neg.onnx", "invert")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(home)}
    said = {}
    for target, more in (("plain", []), ("out", ["--cluster", client])):
        command = [sys.executable, "-m", "sakuga", "in", "-o", target, "-s", "neg.onnx", *more]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 1
        said[target] = sorted(done.stderr.splitlines())
    assert said["out"] == said["plain"]
    made = [{path.name: path.read_bytes() for path in (home / target).iterdir()} for target in ("plain", "out")]
    assert made[0] == made[1]
    assert len(made[0]) == 3
