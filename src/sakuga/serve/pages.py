"""The web page, from files read at the start, and /docs: the OpenAPI description as plain HTML with nothing to run."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from sakuga.runtime.http import SCRIPTS

_HERE = Path(__file__).parent
# What a machine calls .js depends on its registry; a browser runs nothing that is called otherwise.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_TYPES |= {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".ico": "image/x-icon"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} {version}: HTTP API</title>
<link rel="stylesheet" href="/page/reference.css">
</head>
<body>
<main>
<h1>{title} {version}: HTTP API</h1>
<p>{description} For programs: <a href="/openapi.json">openapi.json</a>. <a href="/">To the page</a>.</p>
{body}
</main>
</body>
</html>
"""


def router(app: FastAPI) -> APIRouter:
    """The routes; they are no part of the API's description."""
    routes = APIRouter(include_in_schema=False)
    found = [*sorted((_HERE / "page").iterdir()), *SCRIPTS.values()]
    files = {file.name: file.read_bytes() for file in found if file.is_file()}
    cached = {"Cache-Control": "no-cache"}

    @routes.get("/")
    async def index() -> Response:
        return HTMLResponse(files["index.html"], headers=cached)

    @routes.get("/page/{name}")
    async def page(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
        return Response(files[name], media_type=kind, headers=cached)

    @routes.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(reference(app.openapi()), headers=cached)

    return routes


def reference(openapi: Mapping[str, Any]) -> str:
    """The whole page."""
    info = openapi["info"]
    parts: list[str] = []
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            parts += _operation(f"{method.upper()} {path}", operation)
    texts = {name: escape(str(info.get(name, ""))) for name in ("title", "version", "description")}
    return _PAGE.format(**texts, body="\n".join(parts))


def _operation(name: str, operation: Mapping[str, Any]) -> Iterator[str]:
    anchor = re.sub(r"\W+", "-", name.lower()).strip("-")
    yield f'<section id="{anchor}"><h2><a href="#{anchor}"><code>{escape(name)}</code></a></h2>'
    for paragraph in operation.get("description", "").split("\n\n"):
        yield "<p>" + re.sub("`([^`]+)`", r"<code>\1</code>", escape(paragraph)) + "</p>"
    if given := list(_given(operation)):
        places: dict[str, list[str]] = {}  # the same option may come in the query and in a form
        for key, place, _ in given:
            places.setdefault(key, []).append(place)
        schemas = {key: schema for key, _, schema in given}
        cells = (
            (
                f"<code>{escape(key)}</code>",
                escape(", ".join(places[key])),
                escape(_type(schema)),
                escape(_about(schema)),
            )
            for key, schema in schemas.items()
        )
        yield _table(("name", "in", "type", "what it is"), cells)
    answers = (
        (f"<code>{status}</code>", escape(answer["description"]), escape(", ".join(answer.get("content", {}))))
        for status, answer in sorted(operation["responses"].items())
    )
    yield _table(("status", "meaning", "content"), answers)
    yield "</section>"


def _given(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What a request may bring: its name, where it comes, and its schema."""
    for parameter in operation.get("parameters", []):
        yield parameter["name"], parameter["in"], parameter["schema"]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        fields = body["schema"].get("properties", {"(body)": {"type": "the file"}})
        for name, schema in fields.items():
            yield name, kind, schema


def _about(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    usual = "" if default is None else f" Default: {str(default).lower() if isinstance(default, bool) else default}."
    return f"{schema.get('description', '')}{usual}".strip()


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: its type, or its values, with the bounds."""
    if "anyOf" in schema:
        return ", ".join(_type(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = "" if low is None and high is None else f" from {low} to {high}"
    return f"{schema.get('format') or schema.get('type', '')}{bounds}"


def _table(head: tuple[str, ...], rows: Any) -> str:
    cells = "".join(f"<th>{name}</th>" for name in head)
    lines = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>\n<tr>{cells}</tr>\n{lines}\n</table></div>'
