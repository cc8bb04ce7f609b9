"""The notebook of examples/: its cells run one after another, and it is kept without outputs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"
CELLS = json.loads((EXAMPLES / "sakuga.ipynb").read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


def test_it_is_kept_without_outputs():
    assert len(CODE) == 6
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CODE)


def test_it_runs(tmp_path):
    pytest.importorskip("torch")
    for picture in EXAMPLES.glob("*.jpg"):
        with Image.open(picture) as image:
            image.reduce(4).save(tmp_path / picture.name)
    (tmp_path / "cells.py").write_text("\n\n".join("".join(cell["source"]) for cell in CODE), encoding="utf-8")
    done = subprocess.run([sys.executable, "cells.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "own.onnx").is_file()
