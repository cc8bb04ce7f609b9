"""What a package index shows: nothing there may need the files around the README, and what is named must exist."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOME = "https://example.org/somebody/sakuga"


@pytest.fixture
def hook(monkeypatch):
    """hatch_build.py; hatchling, which runs it, need not be there."""
    name = "hatchling.metadata.plugin.interface"
    for part in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin", name):
        monkeypatch.setitem(sys.modules, part, SimpleNamespace(MetadataHookInterface=object))
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_and_links_of_the_readme_lead_to_the_home_and_each_is_there(hook):
    made = SimpleNamespace(root=str(ROOT), config={"home": HOME})
    metadata = {"version": PROJECT["version"]}
    hook.MetadataHook.update(made, metadata)
    targets = re.findall(r"\]\(([^)\s]+)\)", metadata["readme"]["text"])
    targets += metadata["urls"].values()
    assert len(targets) > 10
    tag = f"v{PROJECT['version']}"
    assert any(f"/raw/{tag}/docs/pictures/" in target for target in targets)
    for target in targets:
        assert target.startswith(HOME), target
        place = re.fullmatch(rf"{HOME}/(raw|blob|tree)/{tag}/([^#]+)(#.*)?", target)
        if place is None:
            assert target in (HOME, f"{HOME}/issues")
        else:
            path = ROOT / place[2]
            assert path.is_dir() if place[1] == "tree" else path.is_file(), target


def test_without_a_home_nothing_leads_nowhere(hook):
    text = hook.long_description((ROOT / "README.md").read_text(encoding="utf-8"), "", PROJECT["version"])
    assert "](" not in text
    assert "in the gallery." in text
    assert hook.urls("", "1") == {}


def test_the_version_is_one():
    assert f"version: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'"sakuga {PROJECT["version"]}"' in (ROOT / "docs" / "sakuga.1").read_text(encoding="ascii")


def test_links_of_the_docs_to_other_files_lead_to_the_home_too(tmp_path):
    spec = importlib.util.spec_from_file_location("links", ROOT / "docs" / "links.py")
    links = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(links)
    (tmp_path / "docs").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "NOTICE").touch()
    page = SimpleNamespace(file=SimpleNamespace(src_uri="page.md"))
    for home, target in (
        ("", "src, NOTICE"),
        (HOME, f"[src]({HOME}/tree/HEAD/src), [NOTICE]({HOME}/blob/HEAD/NOTICE)"),
    ):
        (tmp_path / "pyproject.toml").write_text(f'[tool.hatch.metadata.hooks.custom]\nhome = "{home}"\n')
        config = {"docs_dir": str(tmp_path / "docs")}
        assert (
            links.on_page_markdown("[src](../src), [NOTICE](../NOTICE)", page=page, config=config, files=[]) == target
        )
    with pytest.raises(FileNotFoundError):
        links.on_page_markdown("[it](../gone.py)", page=page, config=config, files=[])
