"""The pictures of README and docs: each is there, each is shown, and they are few enough to be cloned by everybody."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
MAX_BYTES = 3_000_000


def test_every_picture_that_a_page_shows_is_there_and_every_one_there_is_shown():
    shown = set()
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        for name in re.findall(r"!\[[^\]]+\]\((?!\w+:)([^)]+)\)", page.read_text()):
            path = (page.parent / name).resolve()
            assert path.is_file(), f"{page.name} shows {name}, which is not there"
            shown.add(path)
    files = {path for path in PICTURES.rglob("*") if path.suffix in (".jpg", ".png", ".webp", ".gif")}
    originals = {path for path in files if path.parent.name == "originals"}
    assert files - originals - shown == set()
    assert sum(path.stat().st_size for path in files if path.parent.name != "systems") < MAX_BYTES


def test_the_source_of_every_original_is_told():
    script, page = (PICTURES / "make.py").read_text(), (ROOT / "docs" / "gallery.md").read_text()
    originals = list((PICTURES / "originals").iterdir())
    assert len(originals) > 3
    for path in originals:
        assert f'"{path.stem}"' in script or f'"{path.name}"' in script
        assert f"| `{path.stem}`" in page
