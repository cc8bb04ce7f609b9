"""Every refusal as JSON: one sentence and a code."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from sakuga.errors import FormatError, SakugaError, TooLargeError, UsageError


class Error(BaseModel):
    """What every refusal holds."""

    error: str
    code: str


class RefusedError(Exception):
    """A request that is answered with `status` and, as JSON, a sentence and a code; `retry` is in seconds."""

    def __init__(self, status: int, code: str, sentence: str, retry: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.retry = status, code, sentence, retry

    def response(self) -> JSONResponse:
        """The answer."""
        headers = {} if self.retry is None else {"Retry-After": str(self.retry)}
        return JSONResponse({"error": self.sentence, "code": self.code}, self.status, headers)


MEANINGS = {
    400: "The file is empty, damaged, or not what the request says.",
    403: "The request comes from another site.",
    404: "There is no such thing here.",
    405: "The method is not for this address.",
    408: "The file came too slowly.",
    409: "The job has no result (yet).",
    413: "Too many bytes, pixels or seconds, or too long a side.",
    415: "No picture or video of a kind that can be read.",
    416: "The result has no such range of bytes.",
    422: "An option is unknown or out of range, or the file is missing.",
    429: "Too many requests of this client are being worked on: come back after Retry-After seconds.",
    500: "The server or the style failed.",
    503: "The queue is full: come back after Retry-After seconds.",
}


_UNREAD = {
    "picture": ("no_picture", "The file is not a picture in a format that can be read: convert it to PNG or JPEG."),
    "video": (
        "no_video",
        "The file is no video that can be read, or it is damaged: send an MP4, MOV, MKV, WebM or AVI.",
    ),
}
_TOO_LARGE = {
    "picture": "The picture has more than {:,} pixels, or too many frames: make it smaller.",
    "video": "The video has frames of more than {:,} pixels: make it smaller.",
}


@contextmanager
def refusing(kind: Literal["picture", "video"], max_pixels: int) -> Iterator[None]:
    """Raise RefusedError for what is wrong with a file that is read within: too large, not of its kind, or damaged."""
    try:
        yield
    except TooLargeError as error:
        raise RefusedError(413, "too_many_pixels", _TOO_LARGE[kind].format(max_pixels)) from error
    except SakugaError as error:
        if kind == "picture" and not isinstance(error, FormatError):
            raise RefusedError(400, "damaged", f"{str(error).replace('the input', 'The file', 1)}.") from error
        raise RefusedError(415, *_UNREAD[kind]) from error


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says about refusals; those that any request can meet are always among them."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({403, 422, 500, *statuses}):
        described[status] = {"model": Error, "description": MEANINGS[status]}
        if status in (429, 503):
            described[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return described


def install(app: FastAPI) -> None:
    """Make FastAPI answer its own refusals, and ours, in this form."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(SakugaError, _failed)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path, allowed = request.url.path, (error.headers or {}).get("Allow", "another method")
    code, sentence = {
        404: ("not_found", f"There is nothing at {path}: see /docs."),
        405: ("method_not_allowed", f"{path} takes {allowed}, not {request.method}: see /docs."),
        400: ("bad_form", f"The form cannot be read ({error.detail}): send multipart/form-data."),
    }.get(error.status_code, (HTTPStatus(error.status_code).name.lower(), str(error.detail)))
    answer = RefusedError(error.status_code, code, sentence).response()
    answer.headers.update(error.headers or {})
    return answer


async def _failed(_: Request, error: Exception) -> Response:
    status, code = (422, "bad_option") if isinstance(error, UsageError) else (500, "style_failed")
    return RefusedError(status, code, f"{str(error)[:1].upper()}{str(error)[1:]}.").response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, (RequestValidationError, ValidationError))
    wrong = error.errors()[0]
    name = str(wrong["loc"][-1]) if wrong["loc"] else "the request"
    if wrong["type"] == "extra_forbidden":
        return RefusedError(422, "bad_option", f"There is no option {name}: see /docs.").response()
    return RefusedError(422, "bad_option", f"{name}: {wrong['msg'][:1].lower()}{wrong['msg'][1:]}.").response()
