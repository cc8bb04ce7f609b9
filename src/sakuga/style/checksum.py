"""Whether the weights in a style file are those that its card names, found without the package `onnx`."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

# Numbers of fields in onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), version 7 of the format on.
_GRAPH, _INITIALIZER, _INPUT, _INPUT_NAME = 7, 5, 11, 1
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5

Value = int | memoryview


def weights_sha256(path: Path) -> str | None:
    """Return the SHA-256 of the weights in an ONNX file, as cards have it: over name, type, shape and values.

    None when the file is cut off, or holds weights in another way than as raw bytes in the file.
    """
    try:
        (graph,) = [value for number, value in _fields(memoryview(path.read_bytes())) if number == _GRAPH]
        entries = [(number, _fields(value)) for number, value in _fields(graph) if number in (_INITIALIZER, _INPUT)]
        inputs = {bytes(dict(entry)[_INPUT_NAME]) for number, entry in entries if number == _INPUT}
        weights = [_weight(entry) for number, entry in entries if number == _INITIALIZER]
    except (ValueError, IndexError, KeyError, TypeError):
        return None
    # Inputs may have defaults; those are no weights.
    return digest((name.decode(), array) for name, array in weights if name not in inputs)


def digest(weights: "Iterable[tuple[str, np.ndarray]]") -> str:
    """Return the SHA-256 over weights by name, type, shape and value, whatever their order."""
    found = hashlib.sha256()
    for name, array in sorted(weights, key=lambda weight: weight[0]):
        found.update(f"{name}{array.dtype}{array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _weight(entry: Iterator[tuple[int, Value]]) -> "tuple[bytes, np.ndarray]":
    dims: list[int] = []
    found: dict[int, Value] = {}
    for number, value in entry:
        if number != _DIMS:
            found[number] = value
        elif isinstance(value, int):
            dims.append(value)
        else:  # many in one field
            while value:
                dim, value = _varint(value)
                dims.append(dim)
    raw, name, kind = found[_RAW_DATA], found[_NAME], found[_DATA_TYPE]
    if not (isinstance(raw, memoryview) and isinstance(name, memoryview) and isinstance(kind, int)):
        raise ValueError("no tensor")
    return bytes(name), np.frombuffer(raw, _TYPES[kind]).reshape(dims)


def _fields(message: Value) -> Iterator[tuple[int, Value]]:
    """Yield the fields of a message in protocol buffers' wire format, each with its number."""
    if isinstance(message, int):
        raise ValueError("no message")
    rest = message
    while rest:
        tag, rest = _varint(rest)
        kind = tag & 7
        if kind == _VARINT:
            value, rest = _varint(rest)
            yield tag >> 3, value
            continue
        size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(kind)
        if kind == _BYTES:
            size, rest = _varint(rest)
        if size is None or size > len(rest):
            raise ValueError("no protocol buffer")
        yield tag >> 3, rest[:size]
        rest = rest[size:]


def _varint(rest: memoryview) -> tuple[int, memoryview]:
    """Read a number of seven bits a byte, the lowest first; return it and what follows."""
    value = shift = length = 0
    while True:
        byte = rest[length]
        value |= (byte & 0x7F) << shift
        shift, length = shift + 7, length + 1
        if byte < 0x80:
            return value, rest[length:]
