"""styles, info, --version, --help, and the verbs of other modules."""

import json
import sys
import types

import pytest
from made_style import make_style

from sakuga.cli import VERBS
from sakuga.commands.overview import MAKING, OPTIONS


def test_styles(run, style_folder):
    (style_folder / "broken.onnx").write_bytes(b"?")
    status, out, err = run("styles")
    assert status == 0
    assert any(line.startswith("neg ") and "Negative" in line and "Apache-2.0" in line for line in out)
    assert "broken.onnx" in err
    status, out, _ = run("styles", "--json")
    listed = json.loads("\n".join(out))
    assert [one["name"] for one in listed] == ["neg", "soft"]
    assert listed[0]["title"] == "Negative"
    assert listed[0]["bytes"] == (style_folder / "neg.onnx").stat().st_size
    assert {"licence", "data", "system", "file_sha256", "path", "embedded"} <= listed[0].keys()


def test_info(run, style_folder):
    for name in ("neg", style_folder / "neg.onnx"):
        status, out, _ = run("info", name)
        assert status == 0
        assert any(line.split() == ["title", "Negative"] for line in out)
        status, out, _ = run("info", name, "--json")
        assert json.loads("\n".join(out))["title"] == "Negative"
    assert run("info", "ne")[0] == 2
    assert run("info", "gone.onnx")[0] == 1
    assert run("info")[0] == 2


def test_markup_in_a_card_is_text(run, style_folder):
    make_style(style_folder / "loud.onnx", title="[red]loud[/red] :smile:")
    assert any("[red]loud[/red] :smile:" in line for line in run("styles")[1])
    assert any("[red]loud[/red] :smile:" in line for line in run("info", "loud")[1])


def test_version_and_help(run):
    from importlib.metadata import version

    assert run("--version") == run("-V") == (0, [f"sakuga {version('sakuga')}"], "")
    assert run("help") == run("--help")
    assert run("help", "info") == run("info", "--help")
    status, out, _ = run("--help")
    assert status == 0
    for verb in ("stylize", "styles", "info", *VERBS):
        assert any(line.startswith(f"  {verb} ") for line in out)
    for option in OPTIONS:
        assert any(line.startswith("  -") and f"{option} " in line for line in out)
    assert set(MAKING) <= {*VERBS}
    status, _, err = run("help", "stylise")
    assert (status, err.strip()) == (2, "sakuga: there is no verb stylise: sakuga --help lists them")


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_of_other_modules_are_handed_on(run, monkeypatch, verb):
    calls = []
    module, _, name = VERBS[verb].function.partition(":")
    fake = types.SimpleNamespace(**{name: lambda argv: calls.append(argv) or 7})
    monkeypatch.setitem(sys.modules, module, fake)
    assert run(verb, "--steps", "3", "--help")[0] == 7
    assert calls == [["--steps", "3", "--help"]]


def test_without_torch_the_extra_is_named(run, monkeypatch):
    def fail(argv):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setitem(sys.modules, "sakuga.commands.train", types.SimpleNamespace(train=fail))
    assert run("train", "x") == (1, [], 'sakuga: sakuga train needs torch: pip install "sakuga[train]"\n')


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImportError("cannot import name 'X' from 'tyro.conf'", name="tyro.conf"), "pip install --upgrade tyro"),
        (ImportError("/lib/x.so: failed to map segment from shared object"), "too little memory to start"),
        (MemoryError(), "too little memory"),
    ],
)
def test_libraries_that_cannot_be_used(run, monkeypatch, error, said):
    """Too old, or there is no memory for them."""

    def fail(argv):
        raise error

    monkeypatch.setitem(sys.modules, "sakuga.commands.doctor", types.SimpleNamespace(main=fail))
    status, out, err = run("doctor")
    assert (status, out, err.count("\n")) == (1, [], 1)
    assert said in err


def test_other_import_errors_are_faults_of_ours(run, monkeypatch):
    def fail(argv):
        raise ImportError("no such thing", name="sakuga.gone")

    monkeypatch.setitem(sys.modules, "sakuga.commands.doctor", types.SimpleNamespace(main=fail))
    with pytest.raises(ImportError):
        run("doctor")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_function(verb):
    module, _, name = VERBS[verb].function.partition(":")
    assert callable(getattr(pytest.importorskip(module), name))


def test_a_verb_alone_is_told_what_it_lacks(run):
    status, _, err = run("stylize")
    assert status == 2
    assert "name a picture" in err
    status, _, err = run("prepare", "edges")
    assert status == 2
    assert "--output" in err
