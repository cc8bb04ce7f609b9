"""`sakuga evaluate` as its user meets it."""

import json

import pytest
from made import ODD, SMALL, fill

from sakuga.cli import main
from sakuga.errors import SakugaError, UsageError
from sakuga.evaluation.evaluate import Options, evaluate
from sakuga.evaluation.given import styles
from sakuga.style import load

DISTANCES = ["content[vgg16]", "colour shift", "checkerboard", "flicker[pan] x1000"]
OF_SETS = ["FID[vgg16-random]", "KID[vgg16-random]", "Gram[vgg16]"]
VGG = ["--features", "vgg16"]


pytestmark = pytest.mark.usefixtures("empty_cache")


def measure(style, photos, *more):
    return main(["evaluate", str(style), "--photos", str(photos), *SMALL, *map(str, more)])


def test_a_style_that_changes_nothing(made_style, photos, style_images, tmp_path, capsys):
    target = tmp_path / ODD / "new" / "figures.json"
    assert measure(made_style("identity"), photos, "--style-images", style_images, "--json", target, *VGG) == 0
    facts = json.loads(target.read_text())
    figures = facts["styles"]["identity"]
    assert [figures[name] for name in DISTANCES] == [0, 0, 0, 0]
    assert figures["detail"] == 1
    assert all(figures[name] == facts["photo"][name] for name in [*OF_SETS, "grain"])
    assert figures["seconds/megapixel"] > 0
    settings = facts["settings"]
    assert (settings["photos"]["count"], settings["style_images"]["count"]) == (6, 5)
    assert settings["photos"]["sha256"] != settings["style_images"]["sha256"]
    assert settings["kid"] == {"subsets": 100, "subset_size": 2, "seed": 0}  # half of the five
    assert settings["networks"] == {"vgg16": "vgg16 with random weights, seed 0"}
    assert {"torch", "onnxruntime", "Pillow"} < settings["versions"].keys()
    assert facts["facts"]["identity"]["file_sha256"] == load(made_style("identity")).file_sha256
    assert str(tmp_path) not in target.read_text()
    shown = capsys.readouterr()
    for name in (*DISTANCES, *OF_SETS, "detail", "grain"):
        assert name in shown.out
    assert "LPIPS[vgg16] is left out" in shown.err
    assert "sakuga download alexnet" in shown.err
    assert "FID[vgg16-random] of 5 pictures and 512 features is too high" in shown.err

    assert measure(made_style("identity"), photos, "--json", target) == 1  # said before the work
    assert "exists already" in capsys.readouterr().err
    assert json.loads(target.read_text()) == facts


def test_photos_as_their_own_style(made_style, photos, tmp_path):
    found = evaluate({"me": load(made_style("identity"))}, options(photos, style_images=(photos,)))
    assert found.styles["me"]["FID[alexnet-random]"] == pytest.approx(0, abs=1e-6)
    assert found.styles["me"]["KID[alexnet-random]"] < found.styles["me"]["KID[alexnet-random] ±"]


def options(photos, **more):
    return Options(**({"photos": (photos,), "size": 64, "features": "alexnet", "weights": "random:0"} | more))


def test_figures_of_known_styles(made_style, photos):
    kinds = ("invert", "blur", "strided", "double")
    found = evaluate({kind: load(made_style(kind)) for kind in kinds}, options(photos)).styles
    assert found["invert"]["detail"] == pytest.approx(1, rel=1e-3)  # luma turned round
    assert found["invert"]["colour shift"] > 10
    assert found["blur"]["detail"] < 0.6
    assert found["blur"]["grain"] < found["invert"]["grain"]
    assert found["blur"]["colour shift"] < 2
    assert found["blur"]["flicker[pan] x1000"] < 0.1
    assert found["strided"]["flicker[pan] x1000"] > 10 * found["blur"]["flicker[pan] x1000"]
    # One that enlarges is given half the size, and compared with the photo at the full one.
    assert found["double"]["colour shift"] < 2


def test_without_pictures_of_the_style_and_with_too_few(made_style, photos, tmp_path, capsys):
    assert measure(made_style("identity"), photos) == 0
    shown = capsys.readouterr()
    assert "without --style-images" in shown.err
    assert "FID" not in shown.out
    one = fill(tmp_path / "one", 1)
    assert measure(made_style("identity"), photos, "--style-images", one, *VGG) == 0
    shown = capsys.readouterr()
    assert "FID and KID are left out: they need 4 pictures" in shown.err
    assert "6 results and 1 style pictures" in shown.err
    assert "FID" not in shown.out
    assert "Gram[vgg16]" in shown.out


def test_without_any_network_the_rest_is_measured(made_style, photos, capsys):
    assert main(["evaluate", str(made_style("blur")), "--photos", str(photos), "--size", "64"]) == 0
    shown = capsys.readouterr()
    assert "what needs vgg16 is left out" in shown.err
    assert "sakuga download vgg16" in shown.err
    assert "grain" in shown.out
    assert "content" not in shown.out


def test_a_bad_picture_does_not_cost_the_others(made_style, photos, capsys):
    (photos / "broken.jpg").write_bytes(b"no picture")
    assert measure(made_style("identity"), photos) == 1
    shown = capsys.readouterr()
    assert "broken.jpg is not a picture" in shown.err
    assert "1 pictures could not be read" in shown.err
    assert "grain" in shown.out
    found = evaluate({"a": load(made_style("identity"))}, options(photos, count=3))
    assert found.settings["photos"]["count"] + len(found.failed) == 3
    with pytest.raises(SakugaError, match="none of the photos can be read"):
        evaluate({"a": load(made_style("identity"))}, options(photos / "broken.jpg"))


def test_a_training(trained, photos, capsys):
    assert measure(trained, photos) == 0
    shown = capsys.readouterr()
    assert "my run" in shown.out
    assert measure(trained, photos, "--which", "best") == 2
    assert "has no best.pt" in capsys.readouterr().err
    assert measure(photos, photos) == 2
    assert "holds no checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "100"], "--size 100 must be a multiple of 16"),
        (["--count", "0"], "--count must be at least 1"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--features", "resnet"], "vgg16"),
        (["--features", "vgg19", "--weights", "none.pth"], "no weights of vgg19"),
        (["--features", "inception", "--weights", "none.pth"], "no weights of Inception"),
        (["--style-images", "nowhere"], "nowhere does not exist"),
    ],
)
def test_wrong_usage(made_style, photos, words, sentence, capsys):
    assert measure(made_style("identity"), photos, *words) == 2
    assert sentence in capsys.readouterr().err


def test_no_folder(made_style, capsys):
    assert main(["evaluate", str(made_style("identity")), "--photos"]) == 2
    assert "--photos names no folder" in capsys.readouterr().err


def test_names(made_style, trained, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="named twice"):
        styles(["hayao", "hayao"], which="last", scratch=tmp_path)
    with pytest.raises(UsageError, match="no style"):
        styles(["nobody"], which="last", scratch=tmp_path)
    copy = tmp_path / "identity.onnx"
    copy.write_bytes(made_style("identity").read_bytes())
    # One name, so they are told apart by their folders.
    both = [str(copy), str(made_style("identity"))]
    wanted = [f"{tmp_path.name}/identity", f"{made_style('identity').parent.name}/identity"]
    assert [*styles(both, which="last", scratch=tmp_path)] == wanted
    with pytest.raises(UsageError, match="named twice"):
        styles([both[0], str(tmp_path / "." / "identity.onnx")], which="last", scratch=tmp_path)
    (tmp_path / "identity").mkdir()
    with pytest.raises(UsageError, match="holds no checkpoint"):
        styles([str(tmp_path / "identity"), str(copy)], which="last", scratch=tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hayao").mkdir()  # not a training, so the embedded style is meant
    assert styles(["hayao"], which="last", scratch=tmp_path)["hayao"].embedded
    found = styles([str(copy), str(trained)], which="last", scratch=tmp_path)
    assert [*found] == ["identity", "my run"]
    assert found["my run"].name == "my-run"
