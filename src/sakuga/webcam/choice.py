"""The style that all viewers see, and what each style was given for its inputs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import read
from sakuga.style import Style
from sakuga.style.inputs import Input, describe
from sakuga.stylizer import Stylizer
from sakuga.webcam.live import Live

Make = Callable[[Style, Mapping[str, object]], Stylizer]


class Choice:
    """Changes the style of `live` and its inputs; `make` makes the Stylizer of a style and values for its inputs.

    `given` are values by the names of inputs, for whichever style has these. `changes` counts what viewers changed.
    """

    def __init__(
        self, live: Live, styles: Iterable[Style], make: Make, given: Mapping[str, object] | None = None
    ) -> None:
        self.live, self.changes = live, 0
        self._styles = {style.name: style for style in styles}
        self._given: dict[str, dict[str, object]] = {
            name: {one.name: given[one.name] for one in style.card.settings if one.name in given}
            for given in [given or {}]
            for name, style in self._styles.items()
        }
        self._make = make
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """The styles as JSON, with what they ask for and, in the place of defaults, what they were given."""
        styles = [
            {"name": name, "title": style.card.title, "inputs": self._inputs(style)}
            for name, style in self._styles.items()
        ]
        return {"styles": styles, "style": self.live.stylizer.style.name, "changes": self.changes}

    def choose(self, name: str) -> None:
        """Show a style. Raises KeyError for one that is not there, SakugaError for one that lacks an input."""
        with self._lock:
            self._show(self._style(name), self._given.get(name, {}))

    def give(self, name: str, key: str, data: bytes) -> None:
        """Set the input `key` of a style to text or the bytes of a picture, or, empty, to its default; show the style.

        What is given stays, also where the style lacks another input. Raises KeyError for what is not there,
        SakugaError for a value that cannot be, and for a style that lacks an input.
        """
        with self._lock:
            style = self._style(name)
            one = next((one for one in style.card.settings if one.name == key), None)
            if one is None:
                raise KeyError(f"input {key!r} of style {name}")
            given = {other: value for other, value in self._given[name].items() if other != key}
            if data:
                given[key] = _value(one, data)
            try:
                self._show(style, given)
            except _LackingError:
                self._given[name] = given
                raise

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            raise KeyError(f"style {name!r}")
        return self._styles[name]

    def _show(self, style: Style, given: dict[str, object]) -> None:
        for one in style.card.settings:
            if one.required and one.name not in given:
                raise _LackingError(f"style {style.name} needs {one.name}, {one.expects}: give it below the styles")
        self.live.stylizer = self._make(style, given)
        self._given[style.name] = given
        self.changes += 1

    def _inputs(self, style: Style) -> list[dict[str, Any]]:
        described = describe(style.card.settings)
        for one, entry in zip(style.card.settings, described, strict=True):
            if one.kind != "picture" and one.name in self._given[style.name]:
                with suppress(UsageError):  # --set may mean another style, whose names are others
                    entry["default"] = one.check(self._given[style.name][one.name])
        return described


def _value(one: Input, data: bytes) -> object:
    """What a viewer sent for an input; a picture is the bytes of one, because text would be a path on this machine."""
    if one.kind == "picture":
        try:
            return read(data, still=True).frames[0].rgb
        except SakugaError as error:
            raise SakugaError(f"{one.name}: {error}") from error
    return one.check(data.decode("utf-8", "replace"))


class _LackingError(UsageError):
    """An input that must be given was not."""
