"""Roles and bounds that stand with the fields of configs."""

import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import pytest
from PIL import Image
from tiny import make_data

from sakuga.errors import SakugaError, UsageError
from sakuga.systems import SYSTEMS, load_system
from sakuga.systems.base import Config
from sakuga.systems.config import kinds_of
from sakuga.systems.distill import Distill
from sakuga.systems.fast_style import FastStyle
from sakuga.systems.fields import AtMost, Bound, Role, _notes, check_bounds, check_places, roles, sources
from sakuga.systems.pix2pix import Pix2PixConfig
from sakuga.systems.whitebox import WhiteBox

CONFIGS = {name: load_system(name).Config for name in SYSTEMS}


@dataclass
class Some(Config):
    """A config whose fields are declared again, and further bounded."""

    batch: int = 8
    lr: Annotated[float, AtMost(1)] = 0.5
    shares: Annotated[tuple[float, ...], AtMost(1)] = (0.0, 1.0)


@pytest.mark.parametrize("name", SYSTEMS)
class TestEverySystem:
    def test_its_defaults_and_presets_keep_their_bounds(self, name):
        check_bounds(CONFIGS[name]())
        for values in load_system(name).presets.values():
            check_bounds(CONFIGS[name](**values))

    def test_a_default_is_that_of_the_first_of_its_bases(self, name):
        """Of two bases the first one's fields win, but so do those that it only inherits: an attribute would not."""
        for field in fields(CONFIGS[name]):
            declared = (base for base in CONFIGS[name].__mro__ if field.name in vars(base).get("__annotations__", ()))
            assert getattr(CONFIGS[name](), field.name) == vars(next(declared)).get(field.name), field.name

    def test_every_number_has_a_bound_and_is_finite(self, name):
        for field, kind in kinds_of(CONFIGS[name]).items():
            if kind in (int, float):
                assert any(isinstance(note, Bound) for note in _notes(CONFIGS[name])[field]), field
            if kind is float:
                with pytest.raises(UsageError, match=f"--{field.replace('_', '-')} must be a finite number, not nan"):
                    check_bounds(replace(CONFIGS[name](), **{field: float("nan")}))

    def test_every_path_is_data_or_known_not_to_be(self, name):
        paths = {f for f, kind in kinds_of(CONFIGS[name]).items() if "Path" in str(kind)}
        assert paths - roles(CONFIGS[name]).keys() <= {
            "init",
            "cache",
            "senet",
            "identity",
            "photo_attributes",
            "caricature_attributes",
        }
        assert roles(CONFIGS[name])["photos"].required or name == "stylecarigan"  # which learns from two runs


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"batch": 0}, "--batch must be at least 1, not 0"),
        ({"lr": -0.5}, "--lr must be at most 1 and at least 0, not -0.5"),
        ({"lr": 2.0}, "--lr must be at most 1 and at least 0, not 2.0"),
        ({"crop": 18}, "--crop must be at least 16 and a multiple of 4, not 18"),
        ({"shares": (0.5, 1.5)}, "--shares must be at most 1, not 1.5"),
        ({"lr": float("inf")}, "--lr must be a finite number, not inf"),
    ],
)
def test_bounds(values, said):
    check_bounds(Some())
    with pytest.raises(UsageError) as error:
        check_bounds(Some(**values))
    assert str(error.value) == said


def test_the_card_is_told_of_everything_with_a_role(tmp_path):
    config = FastStyle.Config(photos=(tmp_path / "a", tmp_path / "b"), style=tmp_path / "wave.jpg")
    assert [(source["name"], source["use"]) for source in sources(config)] == [
        ("a", "photos"),
        ("b", "photos"),
        ("wave.jpg", "style"),
    ]
    assert roles(Pix2PixConfig)["photos"] == Role("pairs", required=True, of="folder")


class TestPlaces:
    def test_one_picture_of_two_roles(self, tmp_path):
        make_data(tmp_path)
        config = CONFIGS["cyclegan"](photos=(tmp_path,), style=(tmp_path / "style",))
        with pytest.raises(UsageError, match=r"style.0\.png is found by --photos and by --style: name"):
            check_places(config)
        check_places(replace(config, photos=(tmp_path / "photos",)))

    def test_a_painting_may_hang_among_the_photos(self, tmp_path):
        make_data(tmp_path)
        check_places(FastStyle.Config(photos=(tmp_path / "photos",), style=tmp_path / "photos" / "0.png"))

    @pytest.mark.parametrize(
        ("name", "values", "said"),
        [
            ("distill", {}, "--photos is missing: name folders of photographs"),
            ("distill", {"photos": (Path("photos"),)}, "--teacher is missing: name a style's name or path"),
            ("fast_style", {"photos": (Path("photos"),)}, "--style is missing: name the painting"),
            (
                "fast_style",
                {"photos": (Path("photos"),), "style": Path("style")},
                "--style takes one picture, and style is a folder",
            ),
            ("pix2pix", {"photos": (Path("photos"), Path("style"))}, "--photos takes one folder, not 2"),
            ("ugatit", {"photos": (Path("photos"),), "style": (Path("none"),)}, "none does not exist"),
        ],
    )
    def test_what_cannot_be(self, name, values, said, tmp_path, monkeypatch):
        make_data(tmp_path)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UsageError, match=said):
            check_places(CONFIGS[name](**values))


class TestCheapFirst:
    @pytest.fixture
    def data(self, tmp_path, monkeypatch):
        """Photos of which one cannot be read, which is met when they are."""
        make_data(tmp_path)
        (tmp_path / "photos" / "broken.png").write_bytes(b"none")
        monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "nothing downloaded"))
        return tmp_path

    def test_feature_weights_before_photos_and_superpixels(self, data):
        config = WhiteBox.Config(photos=(data / "photos",), style=(data / "style",), width=4, cache=data / "cache")
        with pytest.raises(SakugaError, match="sakuga download vgg19"):
            WhiteBox(config).load()
        assert not (data / "cache").exists()

    def test_a_painting_before_photos(self, data):
        Image.new("RGB", (8, 8)).save(data / "small.png")
        config = FastStyle.Config(photos=(data / "photos",), style=data / "small.png", features_weights="random:0")
        with pytest.raises(UsageError, match=r"small.png is smaller than 16 pixels"):
            FastStyle(config).load()

    def test_a_picture_that_is_named_before_folders(self, data):
        (data / "text.png").write_text("no picture")
        config = WhiteBox.Config(photos=(data / "photos",), style=(data / "text.png",), features_weights="random:0")
        with pytest.raises(SakugaError, match=r"text\.png is not a picture"):
            WhiteBox(config).load()

    def test_a_teacher_before_photos(self, data):
        config = Distill.Config(photos=(data / "photos",), teacher="sakuga.teachers:anima", perceptual=0)
        with pytest.raises(UsageError, match="no such function"):
            Distill(config).load()

    def test_photos_are_read_once(self, data, capsys):
        (data / "photos" / "broken.png").unlink()
        config = FastStyle.Config(photos=(data / "photos",), style=data / "style" / "0.png", crop=32, batch=1)
        system = FastStyle(replace(config, features_weights="random:0"))
        with pytest.warns(UserWarning, match="random weights"):
            system.load()
        system.preview()
        assert capsys.readouterr().err.count("reading 4 pictures") == 1
        assert {field.name for field in fields(config)} >= roles(type(config)).keys()


def test_the_page_names_vgg19_for_each_system_that_wants_it():
    """Its first instruction fetches VGG-16."""
    page = (Path(__file__).parents[2] / "docs" / "systems.md").read_text(encoding="utf-8")
    (paragraph,) = re.findall(r"^Before the first training:.*?\n\n", page, re.MULTILINE | re.DOTALL)
    listed = paragraph.partition("The papers of")[2].partition("VGG-19")[0]
    wanting = [name for name, config in CONFIGS.items() if getattr(config, "features", "") == "vgg19"]
    assert len(wanting) == 6
    for name in wanting:
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert f"`{name}`" in listed or "sakuga download vgg19" in section, name
