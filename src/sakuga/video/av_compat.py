"""What differs between the major versions of PyAV (18 and 19): nothing else in the package asks for its version."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer


def open_input(path: Path, options: dict[str, str], seconds: float | None = None) -> InputContainer:
    """Open a file for reading; texts in it that are not UTF-8 are no error, whatever stands for their bytes.

    `options` are those of the demuxer and of the decoders that it uses to find out what is in the file; it is given up
    after `seconds`.
    """
    import av

    # PyAV 18 raises unless told otherwise; 19 has no such argument and never raises.
    tolerant: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
    # "file:", because a name with a colon would be taken for an address.
    container: InputContainer = av.open(f"file:{path}", options=options, timeout=(seconds, None), **tolerant)
    return container


def fraction(value: Any) -> Fraction | None:
    """A rate, a time base or an aspect as a fraction; None where the file names none.

    PyAV 18 has Fraction and None, 19 a class of its own, whose products are rounded and which can be 0/1 or 1/0.
    """
    return Fraction(value.numerator, value.denominator) if value else None
