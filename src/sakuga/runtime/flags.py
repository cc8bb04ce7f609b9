"""How options without a plain type stand on a command line, for the dataclasses and functions that declare them."""

from typing import Annotated, Literal, get_args

from tyro.conf import FlagCreatePairsOff, arg

Flag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]
"""Off unless it is named; there is no --no-..."""
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Brush = Annotated[float | Literal["auto"], arg(metavar="auto|S")]
"""How many pixels wide a pixel of the network is."""
Quality = Literal["auto", "fast", "best"]
"""How much time a picture may take."""
QUALITIES: tuple[str, ...] = get_args(Quality)
Text = Annotated[str | None, arg(metavar="N", help_behavior_hint="")]

Format = Literal["jpeg", "png", "webp", "tiff", "avif", "gif"]
"""The formats of pictures that are written."""
