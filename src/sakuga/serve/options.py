"""The options of a request, declared once for the query, the form and OpenAPI."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["jpeg", "png", "webp", "tiff", "avif", "gif"]


class PaintOptions(BaseModel):
    """How a picture or a video is painted."""

    model_config = ConfigDict(extra="forbid")

    style: Annotated[str | None, Field(description="A name that /v1/styles lists; otherwise its first.")] = None
    strength: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="From 0, the photo itself, to 1, the full style.")
    ] = 1.0
    keep_color: Annotated[bool, Field(description="Keep the colours of the photo.")] = False
    max_side: Annotated[
        int | None, Field(ge=1, le=65535, description="Reduce the input so that neither side is longer than this.")
    ] = None
    strip: Annotated[
        bool, Field(description="Leave out all metadata but the colour profile. (GPS data are always left out.)")
    ] = False


class PictureOptions(PaintOptions):
    """How a picture is painted and written."""

    format: Annotated[Format | None, Field(description="Format of the result; otherwise that of the input.")] = None


def form_schema(options: type[PaintOptions]) -> dict[str, Any]:
    """The multipart form of OpenAPI: the file and the options."""
    file = {"type": "string", "format": "binary", "description": "The file. Its name serves only to name the result."}
    fields = options.model_json_schema()["properties"]
    schema = {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}
    return {"multipart/form-data": {"schema": {**schema, "additionalProperties": False}}}
