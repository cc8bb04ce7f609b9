"""A configuration as TOML: what `--config` reads and what every run keeps as RUN/config.toml."""

import ast
import difflib
import inspect
import json
import textwrap
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sakuga.errors import UsageError
from sakuga.runtime.atomic import atomic

NAME = "config.toml"
RENAMED = {"micro": "accumulate"}
"""Fields of earlier versions."""
WANTED = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path as text"}


def read(path: Path, system: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields that a TOML file sets.

    Args:
        path: the file; its paths count from the current folder, as on the command line.
        system: the system to be trained; a file that names another (`system = "..."`) is refused.
        kinds: the type of every field there is.

    Raises:
        UsageError: no such file, no TOML, another system's, an unknown field, a value of another type.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path} cannot be read ({error.strerror}); name a TOML file") from error
    except RecursionError as error:
        raise UsageError(f"--config {path} is nested too deeply: name the file of a run") from error
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UsageError(f"--config {path} is not TOML: {error}") from error
    other = found.pop("system", system)
    if other != system:
        raise UsageError(f"--config {path} is of {other}, not of {system}; name another file or train {other}")
    values = {}
    for key, value in found.items():
        name = RENAMED.get(key, key.replace("-", "_"))
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"`sakuga train {system} --help` lists its fields."
            raise UsageError(f"--config {path}: {system} has no field {key}; {remedy}")
        try:
            values[name] = typed(value, kinds[name])
        except ValueError as error:
            try:
                said = _toml(value)
            except RecursionError:
                said = "what is nested deeply"
            raise UsageError(f"--config {path}: {key} must be {error}, not {said}") from error
    return values


def write(path: Path, system: str, *parts: Any) -> None:
    """Write all fields of some dataclasses, each below its description."""
    lines = [
        f"# The configuration of this run, as last started. `sakuga train {system} --config` of this file repeats it.",
        f"system = {_toml(system)}",
    ]
    for part in parts:
        told = descriptions(type(part))
        lines += ["", f"# -- {inspect.cleandoc(type(part).__doc__ or '').splitlines()[0]}"]
        for field in fields(part):
            value = getattr(part, field.name)
            lines += ["", *(f"# {line}" for line in textwrap.wrap(told.get(field.name, ""), 100))]
            # TOML has no null: a field that is unset anyway is shown but left out.
            unset = value is None and field.default is None
            lines.append(f"# {field.name} =" if unset else f"{field.name} = {_toml(value)}")
    with atomic(path, overwrite=True) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return each field that both know and that changed, as `lr: 0.0002 -> 0.0001`."""
    return [f"{k}: {v} -> {now[k]}" for k, v in before.items() if k in now and now[k] != v]


def plain(value: Any) -> Any:
    """Return a field's value as a checkpoint holds it: paths as text, tuples as lists."""
    if isinstance(value, Path):
        return str(value)
    return [plain(v) for v in value] if isinstance(value, (tuple, list)) else value


def typed(value: Any, kind: Any) -> Any:
    """Give a plain value, of a TOML file or a checkpoint, the type of its field.

    Raises:
        ValueError: it is of another type; the message says in words what was wanted.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        for choice in sorted(inner, key=lambda choice: choice is not NoneType):
            with suppress(ValueError):
                return typed(value, choice)
    elif kind is NoneType and value in (None, "None"):
        return None
    elif origin is Literal and value in inner:
        return value
    elif origin in (tuple, list) and isinstance(value, (tuple, list)):
        kinds = inner if origin is tuple and inner[-1] is not Ellipsis else inner[:1] * len(value)
        with suppress(ValueError):
            return origin(typed(v, k) for v, k in zip(value, kinds, strict=True))
    elif kind is Path and isinstance(value, (str, Path)):
        return Path(value)
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif kind in (bool, int, str) and type(value) is kind:
        return value
    raise ValueError(_wanted(kind))


def kinds_of(*types: type) -> dict[str, Any]:
    """Return the type of every field of some dataclasses."""
    return {field.name: get_type_hints(one)[field.name] for one in types for field in fields(one)}


def _wanted(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_wanted(k) for k in inner if k is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    if origin in (tuple, list):
        count = "" if Ellipsis in inner or origin is list else f"{len(inner)} values, "
        return f"a list ({count}each {_wanted(inner[0])})"
    return WANTED.get(kind, str(kind))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(str(value), ensure_ascii=False)


def descriptions(kind: type) -> dict[str, str]:
    """Return the strings that stand below fields in the source of a dataclass and of what it inherits from."""
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
        except (OSError, SyntaxError):
            continue
        for field, below in pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                told[ast.unparse(field.target)] = inspect.cleandoc(str(below.value.value)).replace("\n", " ")
    return told
