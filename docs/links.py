"""Links of the pages to files beside the docs: checked, and shown as names, since the site has no such page.

Once pyproject.toml names a home (docs/release.md), they lead there. Where `make site` ran before, the page without a
server lies in the site too, as try/, and the pages lead there.
"""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#|<)([^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Keep links between pages; raises FileNotFoundError for one that leads nowhere."""
    docs = Path(config["docs_dir"]).resolve()
    folder, home = (docs / page.file.src_uri).parent, _home(config)

    def shown(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(docs) and not target.is_dir():
            return link[0]
        if not target.exists():
            raise FileNotFoundError(f"{page.file.src_uri}: {link[2]} does not exist")
        path = target.relative_to(docs.parent).as_posix()
        return f"[{link[1]}]({home}/{'tree' if target.is_dir() else 'blob'}/HEAD/{path})" if home else link[1]

    markdown = LINK.sub(shown, markdown)
    if page.file.src_uri in ("index.md", "site.md") and _site(config).is_dir():
        title, _, rest = markdown.partition("\n")
        markdown = f'{title}\n\n<p><a href="try/index.html">Try it here: nothing is uploaded</a></p>\n{rest}'
    return markdown


def on_post_build(*, config: Any) -> None:
    """Put the page without a server beside the others."""
    if _site(config).is_dir():
        shutil.copytree(_site(config), Path(config["site_dir"]) / "try", dirs_exist_ok=True)


def _home(config: Any) -> str:
    # Not mkdocs' repo_url: of that the theme asks the repository's host how many stars it has.
    project = tomllib.loads((Path(config["docs_dir"]).resolve().parent / "pyproject.toml").read_text(encoding="utf-8"))
    home: str = project["tool"]["hatch"]["metadata"]["hooks"]["custom"]["home"]
    return home


def _site(config: Any) -> Path:
    return Path(config["docs_dir"]).resolve().parent / "build" / "site"
