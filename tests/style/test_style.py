import errno
import hashlib
import json
import os
import re
import sys
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

import numpy as np
import pytest
from made_style import CARD, make_style

import sakuga
from sakuga import style
from sakuga.cli import main
from sakuga.errors import SakugaError, UsageError
from sakuga.style import Card, load, read, styles


def test_card_round_trip():
    card = Card.from_json(json.dumps(CARD))
    assert json.loads(card.to_json()) == CARD
    assert Card.from_json(card.to_json()) == card


def test_a_field_with_a_default_that_is_made_may_be_missing():
    @dataclass(frozen=True)
    class Later(Card):
        more: list[str] = field(default_factory=list)

    assert Later.from_json(json.dumps(CARD)).more == []


def test_unknown_fields_of_a_later_version_are_ignored():
    assert Card.from_json(json.dumps({**CARD, "colour": "blue"})) == Card.from_json(json.dumps(CARD))


@pytest.mark.parametrize("field", [field.name for field in fields(Card) if field.default is MISSING])
def test_card_without_a_field_names_it(field):
    card = {key: value for key, value in CARD.items() if key != field}
    with pytest.raises(SakugaError, match=f"lacks {field}$"):
        Card.from_json(json.dumps(card))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "../up"),
        ("name", 3),
        ("title", ""),
        ("licence", None),
        ("config", []),
        ("data", {}),
        ("data", [{"name": "photos"}]),
        ("data", ["photos"]),
        ("multiple", 0),
        ("multiple", True),
        ("multiple", 4.0),
        ("multiple", 10**9),
        ("receptive_field", -1),
        ("scale", 0),
        ("scale", 2.0),
        ("match_histogram", 1),
        ("receptive_field", "84"),
        ("date", "yesterday"),
        ("sha256", "abc"),
    ],
)
def test_card_that_lies_names_the_field(field, value):
    with pytest.raises(SakugaError, match=f"card's {field} "):
        Card.from_json(json.dumps({**CARD, field: value}))


@pytest.mark.parametrize(("text", "reason"), [("{", "not JSON"), ("[]", "not a JSON object")])
def test_card_that_is_no_card(text, reason):
    with pytest.raises(SakugaError, match=reason):
        Card.from_json(text)


def test_load_by_name_and_by_path(style_folder):
    path = make_style(style_folder / "mine.onnx", title="Mine")
    for found in (load("mine"), load(str(path)), load(path)):
        assert found.path == path
        assert (found.name, found.card.title, found.embedded) == ("mine", "Mine", False)
    assert load("mine").file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert load("mine").size == path.stat().st_size


def test_embedded_styles_come_first(style_folder, monkeypatch):
    embedded = style_folder.parent / "embedded"
    monkeypatch.setattr("sakuga.style.store.EMBEDDED", embedded)
    monkeypatch.setattr("sakuga.style.file.EMBEDDED", embedded)
    make_style(embedded / "both.onnx", title="embedded")
    make_style(style_folder / "both.onnx", title="mine")
    make_style(style_folder / "alone.onnx")
    assert [(one.name, one.embedded) for one in styles()] == [("both", True), ("alone", False)]
    assert load("both").card.title == "embedded"


def test_unknown_name_suggests_the_nearest(style_folder):
    make_style(style_folder / "shinkai.onnx")
    make_style(style_folder / "hayao.onnx")
    with pytest.raises(UsageError, match=r"no style 'shinkia': did you mean 'shinkai'\?"):
        load("shinkia")
    with pytest.raises(UsageError, match="no style 'zzz': choose one of hayao, shinkai"):
        load("zzz")
    with pytest.raises(SakugaError, match=r"gone\.onnx does not exist"):
        load("gone.onnx")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("no_card", "carries no card"),
        ("other_name", "must take what its card says, image float32 \\(1, 3, any, any\\)"),
        ("two_inputs", "must take what its card says, image float32 \\(1, 3, any, any\\)"),
        ("integer", "must take what its card says, image float32 \\(1, 3, any, any\\)"),
        ("fixed_size", "must take what its card says, image float32 \\(1, 3, any, any\\)"),
        ("no_output", "must have one output, of float32"),
    ],
)
def test_onnx_files_that_are_no_styles(tmp_path, kind, reason):
    path = make_style(tmp_path / "bad.onnx", kind)
    with pytest.raises(SakugaError, match=f"^{re.escape(str(path))} .*{reason}"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(range(256)) * 9])
def test_files_that_are_not_onnx(tmp_path, content, capfd):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(SakugaError, match=re.escape(str(path))) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="its names are texts")
def test_a_folder_may_be_called_any_bytes_and_a_style_any_text(tmp_path, style_folder):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    made = make_style(tmp_path / "neg.onnx", "invert")
    os.replace(made, folder / "neg.onnx")
    pixels = {"image": np.zeros((1, 3, 8, 8), np.float32)}
    assert read(folder / "neg.onnx").session().run(None, pixels)[0].shape == (1, 3, 8, 8)
    named = style_folder / os.fsdecode(b"caf\xe9.onnx")
    os.replace(folder / "neg.onnx", named)
    with pytest.raises(SakugaError, match="not UTF-8, and a style is called what its file is: rename it"):
        read(named)
    assert named.stem not in {one.name for one in styles()}


def test_wrong_card_names_file_and_field(tmp_path):
    path = make_style(tmp_path / "bad.onnx", multiple=0, licence=None)
    with pytest.raises(SakugaError, match=f"{re.escape(str(path))} .*lacks licence"):
        read(path)
    path = make_style(tmp_path / "bad.onnx", multiple=0)
    with pytest.raises(SakugaError, match=f"{re.escape(str(path))} .*multiple"):
        read(path)


def test_listing_leaves_out_what_cannot_be_read(style_folder):
    make_style(style_folder / "good.onnx")
    make_style(style_folder / "cardless.onnx", "no_card")
    (style_folder / "broken.onnx").write_bytes(b"?")
    (style_folder / "folder.onnx").mkdir()
    (style_folder / "notes.txt").write_text("not a style")
    assert [one.name for one in styles()] == ["good"]
    assert sum(isinstance(one, SakugaError) for one in style.survey()) == 3


def test_a_missing_folder_holds_no_styles(tmp_path, monkeypatch):
    monkeypatch.setenv("SAKUGA_STYLES", str(tmp_path / "nowhere"))
    assert all(one.embedded for one in styles())


def test_a_folder_of_styles_that_cannot_be_read_costs_no_other(tmp_path, monkeypatch, capsys):
    """As where HOME is still another user's."""
    monkeypatch.setenv("SAKUGA_STYLES", str(tmp_path))

    def denying(before):
        def denied(place, *more):
            if Path(place) == tmp_path:
                raise PermissionError(errno.EACCES, "Permission denied", str(place))
            return before(place, *more)

        return denied

    monkeypatch.setattr(os, "scandir", denying(os.scandir))  # a test run as root may read anything
    monkeypatch.setattr(Path, "glob", denying(Path.glob))
    assert load("anime").name == "anime"
    assert all(one.embedded for one in styles())
    assert main(["styles"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert f"left out: {tmp_path} cannot be read (Permission denied)" in said


def test_user_folder(monkeypatch):
    monkeypatch.setenv("SAKUGA_STYLES", "~/looks")
    assert style.folder() == Path.home() / "looks"
    monkeypatch.delenv("SAKUGA_STYLES")
    if sys.platform != "win32":
        monkeypatch.setenv("XDG_DATA_HOME", "/data")
        assert style.folder() == Path("/data/sakuga/styles")
        monkeypatch.delenv("XDG_DATA_HOME")
        assert style.folder() == Path.home() / ".local/share/sakuga/styles"


def test_session_is_made_once_for_each_number_of_threads(tmp_path):
    made = read(make_style(tmp_path / "one.onnx"))
    assert made.session() is made.session()
    assert made.session(1) is not made.session()
    assert made.session(1).get_session_options().intra_op_num_threads == 1


def test_every_embedded_style_is_usable():
    """How many there are is tested where they are made."""
    for path in sorted(style.EMBEDDED.glob("*.onnx")):
        one = read(path)
        assert one.embedded
        assert one.card.name == one.name == path.stem
        assert one.size <= 3_000_000
        assert load(one.name).path == path


def test_public_names():
    assert len(sakuga.__all__) <= 10
    assert set(sakuga.__all__) <= set(dir(sakuga))
    for name in sakuga.__all__:
        assert getattr(sakuga, name) is not None
    assert sakuga.styles is styles
    with pytest.raises(AttributeError, match="nothing"):
        _ = sakuga.nothing


@pytest.mark.parametrize("field", ["config", "data"])
def test_a_card_nested_deeply_is_left_out_and_the_list_stands(style_folder, capsys, field):
    """It could be read, but writing it again gave up."""
    deep = [{"name": "a", "licence": "b", "use": "c", "more": json.loads("[" * 900 + "]" * 900)}]
    value = deep if field == "data" else {"a": deep}
    make_style(style_folder / "deep.onnx", "invert", **{field: value})
    make_style(style_folder / "good.onnx", "invert")
    assert main(["styles", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [one["name"] for one in json.loads(out)] == ["good"]
    assert f"card's {field} is nested deeper than 32 levels" in err
    assert main(["info", str(style_folder / "deep.onnx")]) == 1


def test_texts_of_cards_and_names_of_files_do_not_steer_the_terminal(style_folder, capsys):
    turned = "good\u202egnp.\u2066"
    make_style(style_folder / f"{turned}.onnx", "invert", name="a", title=turned, config={"a": "\x1b[2J\x9b"})
    (style_folder / "bad\x1b[2J.onnx").write_bytes(b"?")
    for arguments in (["styles"], ["styles", "--json"], ["info", turned], ["info", turned, "--json"], ["info", "\x1b"]):
        main(arguments)
        out, err = capsys.readouterr()
        assert all(line.isprintable() for line in (out + err).split("\n"))
        assert "gnp" in out + err or arguments[1] == "\x1b"
