"""`sakuga.cluster.stylize`: the rows of a Ray Dataset, as `Stylizer` makes them one by one. Starts Ray."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.cluster import stylize
from sakuga.cluster.nodes import connected
from sakuga.errors import UsageError
from sakuga.picture import encode, read
from sakuga.stylizer import Stylizer


@pytest.fixture(scope="module")
def ray():
    pytest.importorskip("ray.data")
    with connected("local") as begun:
        yield begun


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_rows_are_as_the_stylizer_makes_them(ray):
    stylizer = Stylizer(make_style(Path("neg.onnx"), "invert"), strength=0.5)
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, (16, 20 + 4 * (n % 2), 3), np.uint8) for n in range(4)]
    rows = [{"n": n, "image": one} for n, one in enumerate(arrays)]
    made = sorted(stylize(ray.data.from_items(rows), stylizer).take_all(), key=lambda row: row["n"])
    assert [(row["n"], row["error"]) for row in made] == [(n, "") for n in range(4)]
    for row, one in zip(made, arrays, strict=True):
        np.testing.assert_array_equal(row["image"], stylizer.array(one))
    file = BytesIO()
    Image.fromarray(arrays[0]).save(file, "PNG")
    rows = [{"n": 0, "bytes": file.getvalue()}, {"n": 1, "bytes": b"no picture"}]
    good, bad = sorted(stylize(ray.data.from_items(rows), stylizer).take_all(), key=lambda row: row["n"])
    assert good["bytes"] == encode(stylizer.picture(read(file.getvalue())))
    assert (bad["bytes"], bool(bad["error"])) == (None, True)
    with pytest.raises(UsageError, match=r"no column photo, but n, bytes: name one"):
        stylize(ray.data.from_items(rows), stylizer, column="photo")
