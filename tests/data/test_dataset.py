"""Data sets: batches as a function of seed, step and rank, and what each kind of column makes of a crop."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

from sakuga.data.columns import Derived, Noise, Rows
from sakuga.data.dataset import Dataset
from sakuga.data.labels import Labels
from sakuga.data.pictures import Pictures


@dataclass
class Sampling:
    seed: int = 0
    batch: int = 6
    crop: int = 16
    mirror: bool = True


@pytest.fixture
def pictures(tmp_path):
    """Four pictures whose values tell their place: red is the row, green the column, blue the picture."""
    for i, (height, width) in enumerate(((40, 60), (20, 20), (30, 90), (16, 16))):
        rows, columns = np.mgrid[0:height, 0:width]
        pixels = np.dstack([rows, columns, np.full_like(rows, i)]).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    return Pictures([tmp_path])


def places(batch):
    """Row, column and picture of the first pixel of every crop."""
    return [tuple(int(v) for v in crop[:, 0, 0].add(1).mul(127.5).round()) for crop in batch]


def test_columns_of_one_draw_share_picture_crop_and_mirror(pictures):
    again = Derived(lambda picture: 255 - picture, pictures)
    index = Rows(np.arange(4))
    batch = Dataset({"a": pictures, "b": again, "i": index}, Sampling()).batch(0)
    assert batch["a"].shape == (6, 3, 16, 16)
    torch.testing.assert_close(batch["a"], -batch["b"])
    assert batch["i"].tolist() == [place[2] for place in places(batch["a"])]


def test_independent_draws_do_not_share_but_follow_one_seed(pictures):
    one = Dataset({"a": pictures}, Sampling(batch=40))
    both = (one | Dataset({"b": pictures}, Sampling(batch=40))).batch(0)
    assert torch.equal(both["a"], one.batch(0)["a"])
    assert places(both["a"]) != places(both["b"])
    with pytest.raises(ValueError, match="both have a column a"):
        one | one


def test_a_batch_is_a_function_of_seed_step_and_rank(pictures):
    data = Dataset({"a": pictures, "z": Noise(5)}, Sampling()) | Dataset({"n": Noise(3, uniform=True)}, Sampling())
    whole = data.batch(7)
    for name, value in whole.items():
        assert torch.equal(data.batch(7)[name], value)
        halves = [data.batch(7, rank, 2)[name] for rank in (0, 1)]
        assert torch.equal(torch.stack(halves, 1).flatten(0, 1), value)
        assert not torch.equal(data.batch(8)[name], value)
    assert whole["z"].dtype == torch.float32
    assert 0 <= whole["n"].min() <= whole["n"].max() < 1


def test_noise_of_a_derived_column_is_its_samples_own(pictures):
    noise = Noise(2)
    data = Dataset({"a": pictures, "z": noise, "double": Derived(lambda z: 2 * z, noise)}, Sampling())
    for rank in (0, 1):
        batch = data.batch(0, rank, 2)
        torch.testing.assert_close(batch["double"], 2 * batch["z"])


def test_noise_alone_needs_no_pictures():
    assert Dataset({"z": Noise(4)}, Sampling()).batch(0)["z"].shape == (6, 4)


def test_size_and_crop_may_follow_the_step_and_parts_differ_in_length(pictures):
    data = Dataset({"a": pictures}, Sampling(), crop=lambda t: 8 if t < 5 else 16) | Dataset(
        {"b": pictures}, Sampling(), batch=lambda t: 2 + t
    )
    assert [tuple(data.batch(t)[name].shape) for t in (4, 5) for name in "ab"] == [
        (6, 3, 8, 8),
        (6, 3, 16, 16),
        (6, 3, 16, 16),
        (7, 3, 16, 16),
    ]


@pytest.mark.parametrize(("draw", "shares"), [("area", (0.429, 0.071, 0.482, 0.018)), ("picture", (0.25,) * 4)])
def test_how_pictures_are_drawn(pictures, draw, shares):
    """Areas 2400, 400, 2700 and 256 of 5756; 4,000 draws have a standard deviation of at most 0.008."""
    data = Dataset({"i": Rows(np.arange(4)), "a": pictures}, Sampling(batch=4000, crop=4), draw=draw)
    if draw == "area":
        shares = tuple(area / 5756 for area in (2400, 400, 2700, 256))
    found = torch.bincount(data.batch(0)["i"], minlength=4) / 4000
    np.testing.assert_allclose(found, shares, atol=0.03)


def test_classes_are_as_likely_however_many_pictures_they_have():
    labels = Labels(np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 1]), ("few", "many"))
    batch = Dataset({"y": labels, "i": Rows(np.arange(10))}, Sampling(batch=4000), draw="class").batch(0)
    assert 0.47 < batch["y"].float().mean() < 0.53
    many = torch.bincount(batch["i"], minlength=10)[1:] / 4000
    np.testing.assert_allclose(many, 0.5 / 9, atol=0.02)


def test_what_cannot_be_one_draw(pictures):
    with pytest.raises(ValueError, match="columns of 4, 3 items"):
        Dataset({"a": pictures, "i": Rows(np.arange(3))}, Sampling())
    with pytest.raises(ValueError, match="no column has classes"):
        Dataset({"a": pictures}, Sampling(), draw="class")


def test_without_mirrors_they_are_the_same_otherwise(pictures):
    mirrored, plain = (Dataset({"a": pictures}, Sampling(mirror=mirror)).batch(0)["a"] for mirror in (True, False))
    same = [torch.equal(a, b) for a, b in zip(mirrored, plain, strict=True)]
    flipped = [torch.equal(a.flip(2), b) for a, b in zip(mirrored, plain, strict=True)]
    assert all(a != b for a, b in zip(same, flipped, strict=True))
    assert 0 < sum(same) < 6
