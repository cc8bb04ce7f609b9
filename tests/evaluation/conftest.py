"""What the tests of `sakuga evaluate` and `sakuga compare` share."""

import pytest
from made import ODD, fill, train


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """No weights are found, whatever the machine holds; and speed is measured on few pixels."""
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "no-cache"))
    monkeypatch.setattr("sakuga.evaluation.speed.SIZE", (48, 64))


@pytest.fixture
def photos(tmp_path):
    return fill(tmp_path / ODD / "photos", 6)


@pytest.fixture
def style_images(tmp_path):
    return fill(tmp_path / ODD / "style", 5, seed=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return train(folder / ODD / "my run", fill(folder / "photos", 3))
