"""What a package index shows of the repository: the README and the addresses, made of one, `home` in pyproject.toml.

Hatchling runs this at every build. An index has the README without the files around it, so its pictures and links
become addresses below the home, laid out as GitHub does, at the tag of the version. As long as there is no home,
pictures are left out and links keep their words.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


class MetadataHook(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the two to the metadata of the project."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        home, version = self.config["home"], metadata["version"]
        metadata["readme"] = {"content-type": "text/markdown", "text": long_description(text, home, version)}
        metadata["urls"] = urls(home, version)


def long_description(text: str, home: str, version: str) -> str:
    """The README for a reader who has nothing else of the repository."""

    def absolute(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if home:
            return f"{picture}[{words}]({home}/{'raw' if picture else 'blob'}/v{version}/{target})"
        return "" if picture else words

    return re.sub(r"\n{3,}", "\n\n", RELATIVE.sub(absolute, text))


def urls(home: str, version: str) -> dict[str, str]:
    """The addresses that an index lists, by what they are called."""
    if not home:
        return {}
    return {
        "Homepage": home,
        "Documentation": f"{home}/tree/v{version}/docs",
        "Changelog": f"{home}/blob/v{version}/CHANGELOG.md",
        "Issues": f"{home}/issues",
    }
