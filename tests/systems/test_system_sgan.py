"""Semi-supervised GAN: what is special about it."""

import math
import shutil

import numpy as np
import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.systems.sgan import SGAN


def some_labelled(folder):
    """Some fields, and pictures of which a third has no label."""
    if (folder / "domains").is_dir() and not (folder / "some").is_dir():
        shutil.copytree(folder / "domains", folder / "some")
        shutil.copytree(folder / "style", folder / "some" / "unlabelled")
    return {"photos": (folder / "some",), "width": 4, "noise": 6, "batch": 4, "lr": 2e-3}


TINY = Tiny(
    SGAN,
    some_labelled,
    falls=("D/class", 0.9),
    batch_statistics="batch norm in the generator, dropout in the classifier, means of its features",
    least=2,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def softplus(value):
    return math.log1p(math.exp(value))


@pytest.mark.parametrize("form", ["salimans", "odena"])
def test_the_papers_terms(form, data):
    system = TINY.build(data, form=form, unlabelled=0.5).double()
    batch = {name: v.double() if v.is_floating_point() else v for name, v in system.batch(0, 0, 1).items()}
    batch["label"] = torch.tensor([0, 1, 0, 1])
    last = [0.5] if form == "odena" else []  # of a fake; in the other form it is 0
    given = {"labelled": [1.0, 3.0], "real": [2.0, -1.0], "fake": [-2.0, 0.5]}

    def outputs(image):
        kind = next((name for name in ("labelled", "real") if image is batch[name]), "fake")
        return image.flatten(1) * (3 if kind == "real" else 1), torch.tensor([given[kind] + last] * 4).double()

    system.discriminator.forward = outputs
    (first, d), (second, g) = system.step(batch, 0)
    assert (first, second) == ("D", "G")

    def score(kind):
        return math.log(sum(map(math.exp, given[kind]))) - (last or [0.0])[0]

    whole = math.log(sum(map(math.exp, given["labelled"] + last)))
    assert d["class"].item() == pytest.approx(whole - 2, rel=1e-12)  # half of either class
    assert d["real"].item() == pytest.approx(0.25 * softplus(-score("real")), rel=1e-12)
    assert d["fake"].item() == pytest.approx(0.25 * softplus(score("fake")), rel=1e-12)
    if form == "odena":
        assert g["real"].item() == pytest.approx(softplus(-score("fake")), rel=1e-12)
    else:
        fake = system.generator(batch["noise"]).flatten(1).mean(0)
        wanted = (3 * batch["real"].flatten(1).mean(0) - fake).abs().mean()
        assert g["features"].item() == pytest.approx(wanted.item(), rel=1e-9)


def test_a_few_labels_and_all_pictures(data):
    system = TINY.build(data, per_class=2)
    assert system.config.classes == ("plain", "rough")
    assert len(system.dataset["labelled"]) == len(system.dataset["label"]) == 4
    assert np.bincount(system.dataset["label"].values).tolist() == [2, 2]
    names = [path.parent.name for path in system.dataset.pictures("labelled").paths]
    assert names == ["plain", "plain", "rough", "rough"]
    assert len(system.dataset["real"]) == 12


def test_a_table_may_lack_lines_and_classes(data, tmp_path):
    table = tmp_path / "labels.csv"
    lines = ["file,kind", "rough/0.png,a", "plain/1.png,b", "plain/2.png,"]
    table.write_text("\n".join(lines), encoding="utf-8")
    system = TINY.build(data, photos=(data / "domains",), labels=str(table))
    assert system.config.classes == ("a", "b")
    assert [path.parent.name for path in system.dataset.pictures("labelled").paths] == ["rough", "plain"]
    assert len(system.dataset["real"]) == 8
    table.write_text("file,kind\nrough/0.png,\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"labels.csv: no picture has a class: label some"):
        TINY.build(data, photos=(data / "domains",), labels=str(table))


def test_rates_fall_in_the_last_third_and_the_classifier_is_averaged(data):
    system = TINY.bare(data)
    assert [round(system.rate(t, "D"), 9) for t in (0, 66, 90, 100)] == [1, 1, 0.3, 0]
    assert system.averaged == ("discriminator",)
    with pytest.raises(UsageError, match="--crop 48 must be a power of two"):
        TINY.bare(data, crop=48)
