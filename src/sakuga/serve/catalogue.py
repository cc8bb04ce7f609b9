"""The styles that a server offers, found once when it starts, each with a small sample of its work."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import asdict
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from typing_extensions import TypedDict

from sakuga.errors import SakugaError, UsageError
from sakuga.serve.errors import RefusedError
from sakuga.serve.work import Painters
from sakuga.style import DEFAULT, Style, read, survey
from sakuga.stylizer import Stylizer

SAMPLE = Path(__file__).parent / "page" / "sample.jpg"
log = logging.getLogger("sakuga.serve")


class Entry(TypedDict):
    """A style in the list."""

    name: str
    title: str
    licence: str
    system: str
    default: bool
    scale: int
    thumbnail: str


def find(folders: Iterable[Path]) -> dict[str, Style]:
    """The styles that `sakuga styles` lists, then those in the folders; of two with one name the first counts.

    Raises UsageError for a folder that is none or holds no style file. Files that are no styles are left out, with a
    warning.
    """
    found: dict[str, Style] = {}
    for style in survey():
        if isinstance(style, Style):
            found.setdefault(style.name, style)
    for folder in folders:
        files = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
        if not files:
            raise UsageError(f"{folder} is not a folder with style files (.onnx): check --styles")
        for file in files:
            if file.stem in found:
                log.warning("%s is left out: there is a style of this name already", file)
                continue
            try:
                found[file.stem] = read(file)
            except SakugaError as error:
                log.warning("left out: %s", error)
    if not found:
        raise UsageError("there is no style to serve: name a folder of them with --styles")
    return found


class Catalogue:
    """Styles by name. The default is sakuga's own where it is there, else the first."""

    def __init__(self, styles: dict[str, Style], painters: Painters) -> None:
        self.styles, self.painters = styles, painters
        self.default = DEFAULT if DEFAULT in styles else next(iter(styles))
        self._samples: dict[str, asyncio.Future[Image.Image]] = {}

    def list(self) -> list[Entry]:
        """All styles, the default first."""
        order = sorted(self.styles.values(), key=lambda style: style.name != self.default)
        return [
            Entry(
                name=style.name,
                title=style.card.title,
                licence=style.card.licence,
                system=style.card.system,
                default=style.name == self.default,
                scale=style.card.scale,
                thumbnail=f"/v1/styles/{quote(style.name, safe='')}/thumbnail",
            )
            for style in order
        ]

    def card(self, name: str) -> dict[str, Any]:
        """All that a style says about itself, without where it lies on this machine. Raises RefusedError (404)."""
        style = self.get(name, 404)
        return {**asdict(style.card), "name": name, "embedded": style.embedded, "bytes": style.size}

    def get(self, name: str | None, status: int = 422) -> Style:
        """The style of this name, or the default; raises RefusedError with `status` where there is none."""
        name = self.default if name is None else name
        if name in self.styles:
            return self.styles[name]
        near = get_close_matches(name[:100], self.styles, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "see /v1/styles."
        raise RefusedError(status, "unknown_style", f"There is no style {name[:100]!r}: {hint}")

    async def thumbnail(self, name: str, size: int) -> bytes:
        """The sample in this style as a JPEG of size · size pixels; it is painted when first asked for."""
        style = self.get(name, 404)
        if name not in self._samples:
            painting = self.painters.submit(lambda: Stylizer(style)(SAMPLE))
            self._samples[name] = asyncio.wrap_future(painting)
        try:
            sample = await asyncio.shield(self._samples[name])
        except Exception:  # whatever it was, the next one who asks may have more luck
            self._samples.pop(name, None)
            raise
        out = BytesIO()
        sample.resize((size, size), Image.Resampling.LANCZOS).save(out, "JPEG", quality=85)
        return out.getvalue()
