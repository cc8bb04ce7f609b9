"""A style that never comes back ends at Ctrl-C and at SIGTERM, whatever it is applied to."""

import json
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest
from made_style import CARD
from shell import photo

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

CODE = """
import sys
from sakuga.style import session
from sakuga.cli import main
within = session._RUNS.options.__class__
class Told(within):
    def add(self, one):
        super().add(one)
        print("running", flush=True)
session._RUNS.options = Told()
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def endless(style_folder):
    helper, tensor = onnx.helper, onnx.TensorProto
    values = [helper.make_tensor_value_info(*one) for one in (("i", tensor.INT64, []), ("go", tensor.BOOL, []))]
    values.append(helper.make_tensor_value_info("x", tensor.FLOAT, None))
    ends = [
        helper.make_tensor_value_info("on", tensor.BOOL, []),
        helper.make_tensor_value_info("y", tensor.FLOAT, None),
    ]
    body = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["x"], ["y"])]
    loop = helper.make_node("Loop", ["n", "true", "image"], ["out"], body=helper.make_graph(body, "b", values, ends))
    weights = [
        onnx.numpy_helper.from_array(np.array(10**12), "n"),
        onnx.numpy_helper.from_array(np.array(True), "true"),
    ]
    image = [helper.make_tensor_value_info(name, tensor.FLOAT, [1, 3, "H", "W"]) for name in ("image", "out")]
    graph = helper.make_graph([loop], "style", image[:1], image[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"sakuga": json.dumps(CARD)})
    onnx.save(model, style_folder / "endless.onnx")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("inputs", ["a.png", ".", "in.mp4", "-"])
def test_it_ends(here, number, inputs):
    photo("a.png")
    photo("b.png")
    with av.open("in.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=25, width=64, height=64)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode())
    before = sorted(here.rglob("*"))
    command = [sys.executable, "-c", CODE, inputs, "-s", "endless", *(["-o", "out.png"] if inputs == "-" else [])]
    with subprocess.Popen(
        command,
        stdin=open("a.png", "rb"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "running\n"
        time.sleep(0.3)
        sent = time.monotonic()
        process.send_signal(getattr(signal, number))
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - sent < 8  # not by the last resort
    assert process.returncode == 130, err
    assert err == "sakuga: interrupted\n"
    assert sorted(here.rglob("*")) == before


def test_what_does_not_listen_is_ended_after_a_while():
    code = """
import time
from sakuga.runtime.signals import interruptible
words = ["in"]
with interruptible(lambda: None, grace=0.5):
    while True:
        try:
            while words:  # here, where the signal that follows it is caught
                print(words.pop(), flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            pass
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
