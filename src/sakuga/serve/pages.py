"""The web page, from a list of files read at the start, and the API's documentation as a page of our own."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from sakuga.serve.reference import html

_HERE = Path(__file__).parent
# What a machine calls .js depends on its registry; a browser runs nothing that is called otherwise.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_TYPES |= {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".ico": "image/x-icon"}


def router(app: FastAPI) -> APIRouter:
    """The routes; they are no part of the API's description."""
    routes = APIRouter(include_in_schema=False)
    files = {file.name: file.read_bytes() for file in sorted((_HERE / "page").iterdir()) if file.is_file()}
    css = (_HERE / "reference.css").read_bytes()
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
        return HTMLResponse(html(app.openapi()), headers=cached)

    @routes.get("/docs.css")
    async def style() -> Response:
        return Response(css, media_type="text/css", headers=cached)

    return routes
