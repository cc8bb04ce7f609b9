"""`--cluster`: a machine is lost in the midst of the work; here it is a second node of Ray on this one."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.cli import main


@pytest.fixture
def cluster():
    """A head and a second machine, of a processor each."""
    pytest.importorskip("ray.data")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.second = made.add_node(num_cpus=1)
    yield made
    made.shutdown()


def pictures(folder):
    folder.mkdir()
    for seed in range(100):
        pixels = np.random.default_rng(seed).integers(0, 256, (150, 200, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")


@pytest.mark.parametrize(("what", "begun"), [("pictures", "out/*.png"), ("film", "out/.*/*.npz")])
def test_the_others_make_what_it_was_to_make(cluster, make_film, tmp_path, monkeypatch, what, begun):
    monkeypatch.chdir(tmp_path)
    make_style(Path("neg.onnx"), "invert")
    if what == "film":
        Path("in").mkdir()
        make_film("in/a.mp4", 1510)
    else:
        pictures(Path("in"))
    command = [sys.executable, "-m", "sakuga", "in", "-o", "out", "-s", "neg.onnx", "--cluster", cluster.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        while run.poll() is None and not [*Path().glob(begun)]:
            time.sleep(0.02)
        assert run.poll() is None
        cluster.remove_node(cluster.second, allow_graceful=False)
        told = run.communicate()[0].split()
    assert run.returncode == 0
    assert main(["in", "-o", "plain", "-s", "neg.onnx"]) == 0
    made = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert made == {path.name: path.read_bytes() for path in Path("plain").iterdir()}
    assert sorted(told) == sorted(f"out/{name}" for name in made)
