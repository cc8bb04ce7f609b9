"""What a style is given besides its weights: pictures, noise, choices, numbers, as its card declares them."""

import math
import operator
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from sakuga.errors import SakugaError, UsageError

Kind = Literal["picture", "noise", "choice", "choices", "number", "vector", "points", "text"]
KINDS: tuple[str, ...] = get_args(Kind)
MAX_SIZE = 65_536
"""Most numbers, points or words of one input, and names to choose from: a card may not ask for more."""
MAX_SEED = 2**64 - 1
MAX_FLOAT = (2 - 2**-23) * 2.0**127  # of the 32 bits that networks take; NaN is no less, either
_RESERVED = {"measure", "frozen", "given", "pixels"}  # inputs that styles have beside those of the card
_MAX_LISTED = 20
STRENGTH = "strength"
"""Name of a number by which a style's network does less of what it does; the look's `strength` is handed to it."""
THEN = "then"
"""The word between the sentences of a text."""


@dataclass(frozen=True)
class Input:
    """One input of a style's network, by the name that its ONNX input has.

    The tensor for each kind, float32 unless said otherwise:

    - `picture`: (1, 3, H, W), RGB in [-1, 1]. The first one is the photo, a second one a reference; zeros where one
      that may be left out (default "") is.
    - `noise`: (1, size), from a standard normal distribution.
    - `choice`: (1, len(names)), one-hot. `choices`: the same with any number of ones.
    - `number`: (1,), within `minimum` and `maximum`.
    - `vector`: (1, size).
    - `points`: (1, size, 2), x and y in pixels of the picture as the network is given it.
    - `text`: (1, size) int64, places in `names`, the vocabulary, whose first entry fills what is left; of several
      sentences (1, sentences, size), given with the word "then", one of the vocabulary, between them.

    Attributes:
        name: of the ONNX input, and of `--set NAME=VALUE`.
        kind: see above.
        size: of noise, vector, points and text, there the words of a sentence.
        names: of choices, or the vocabulary of a text.
        minimum: of a number.
        maximum: of a number.
        default: what holds where nothing is said: a number, a name, a list of names or of numbers; None: it must be
            given, but for pictures (the photo) and noise (drawn).
        sentences: of a text, at most.

    Raises SakugaError when these cannot be so.
    """

    name: str
    kind: Kind
    size: int = 0
    names: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 1.0
    default: Any = None
    sentences: int = 1

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and re.fullmatch(r"[A-Za-z_]\w{0,63}", self.name, re.ASCII)):
            raise SakugaError("the card's inputs must have names of letters, digits and '_'")
        rule = self._broken()
        if rule is None and self.default is not None:
            try:
                object.__setattr__(self, "default", self.check(self.default))
            except UsageError as error:
                rule = f"has a default that cannot be: {error}"
            if self.kind == "picture" and self.default != "":
                rule = "has a default, which for a picture can only be none, an empty text"
        if rule:
            raise SakugaError(f"the card's input {self.name} {rule}")

    def _broken(self) -> str | None:
        """What is wrong with the declaration, but for the default."""
        if self.name in _RESERVED:
            return "has a name that is taken"
        if self.kind not in KINDS:
            return f"must be of a kind among {', '.join(KINDS)}"
        if type(self.size) is not int or not (self.size == 0) ^ (self.kind in ("noise", "vector", "points", "text")):
            return "has no size, or one that its kind has not"
        if not 0 <= self.size <= MAX_SIZE:
            return f"must have a size of at most {MAX_SIZE}"
        if type(self.sentences) is not int or self.sentences < 1 or self.sentences * self.size > MAX_SIZE:
            return f"must have a sentence or more, of at most {MAX_SIZE} words in all"
        if self.sentences > 1 and (self.kind != "text" or THEN not in self.names):
            return f"has several sentences but is no text with the word {THEN!r}"
        if not all(isinstance(one, str) and one.isprintable() and "," not in one for one in self.names):
            return "has names that cannot be shown or hold a comma"
        named = self.kind in ("choice", "choices", "text")
        if named != bool(self.names) or len(self.names) > MAX_SIZE or len({*self.names}) < len(self.names):
            return "has no names, or too many, or the same twice"
        bounds = self.minimum, self.maximum
        if not all(type(one) in (int, float) and abs(one) < 1e30 for one in bounds) or bounds[0] >= bounds[1]:
            return "has no bounds, or the upper one is not above the lower"
        return None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor; 0 stands for a picture's height and width."""
        count = len(self.names) if self.kind in ("choice", "choices") else self.size
        if self.sentences > 1:
            return 1, self.sentences, self.size
        return {"picture": (1, 3, 0, 0), "number": (1,), "points": (1, self.size, 2)}.get(self.kind, (1, count))

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.usual is None

    @property
    def expects(self) -> str:
        """What a value must be, in words that follow "must be"."""
        listed = [name for name in self.names[1:] if name != THEN] if self.kind == "text" else self.names
        names = ", ".join(listed[:_MAX_LISTED])
        names += f" and {len(listed) - _MAX_LISTED} more" if len(listed) > _MAX_LISTED else ""
        return {
            "picture": "a picture" if self.default is None else "a picture, or none",
            "noise": "a whole number from 0, the seed",
            "choice": f"one of {names}",
            "choices": f"any of {names}, with commas between",
            "number": f"a number from {self.minimum:g} to {self.maximum:g}",
            "vector": f"{self.size} numbers, with commas between",
            "points": f"x and y of {self.size} points, with commas between",
            "text": (f"up to {self.sentences} sentences with {THEN!r} between, each " if self.sentences > 1 else "")
            + f"at most {self.size} of its words: {names}",
        }[self.kind]

    @property
    def usual(self) -> Any:
        """What holds where nothing is said, in its plain form; None where something must be said."""
        return 0 if self.kind == "noise" and self.default is None else self.default

    def check(self, value: object) -> Any:
        """Return `value` in its plain form; text is read as `--set NAME=VALUE` gives it.

        The form is a float for a number, a name, a tuple of names or words, a seed or a tuple of floats for noise, a
        tuple of floats for a vector and for points (x, y, x, y, ...); a picture stays what it is. Raises UsageError,
        with what it must be, for anything else.
        """
        try:
            plain = self._plain(value)
        except (TypeError, ValueError, OverflowError, AttributeError):
            plain = None
        if plain is None:
            raise UsageError(f"{self.name} must be {self.expects}, not {reprlib.repr(value)}")
        return plain

    def _plain(self, value: Any) -> Any:
        """Return the plain form; None, TypeError or ValueError for what has none."""
        words = value if not isinstance(value, str) else value.split("," if self.kind == "choices" else None)
        match self.kind:
            case "picture":
                return value
            case "noise" if isinstance(value, str) or not isinstance(value, Iterable):
                seed = int(value) if isinstance(value, str) else operator.index(value)
                return seed if 0 <= seed <= MAX_SEED else None
            case "number":
                (number,) = _numbers(value)
                return number if self.minimum <= number <= self.maximum else None
            case "choice":
                return value if value in self.names else None
            case "text":
                said = tuple(word if word in self.names else word.lower() for word in words)
                parts = self.split(said)
                fits = len(parts) <= self.sentences and max(map(len, parts)) <= self.size
                return said if {*self.names[1:]}.issuperset(said) and fits else None
            case "choices":
                chosen = tuple(word.strip() for word in words if word.strip())
                return chosen if {*self.names}.issuperset(chosen) and len(chosen) <= len(self.names) else None
        numbers = _numbers(value)
        return numbers if len(numbers) == math.prod(self.shape) else None

    def split(self, words: Sequence[str]) -> list[list[str]]:
        """Return the sentences of a text's words."""
        parts: list[list[str]] = [[]]
        for word in words:
            if word == THEN and self.sentences > 1:
                parts.append([])
            else:
                parts[-1].append(word)
        return parts

    @classmethod
    def from_json(cls, value: Any) -> "Input":
        """Read one entry of a card. Raises SakugaError when it cannot be one."""
        if not (
            isinstance(value, dict) and {"name", "kind"} <= value.keys() and isinstance(value.get("names", []), list)
        ):
            raise SakugaError("the card's inputs must be objects with a name and a kind")
        known = {f.name: value[f.name] for f in fields(cls) if f.name in value}
        return cls(**known | {"names": tuple(known.get("names", ()))})

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a card; what is at its default is left out."""
        plain = asdict(self) | {"names": list(self.names)}
        standard = {f.name: f.default for f in fields(self)} | {"names": []}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items() if v != standard.get(k)}


PICTURE = Input("image", "picture")
"""The one input of a style that translates a photo and asks nothing else."""


FRAME = Input("frame", "choice", names=("faces", "whole"), default="faces")
"""Of a style for faces: whether it takes those that are found in the picture, or the whole picture for one."""


def photo(inputs: Sequence[Input]) -> Input | None:
    """Return the input that the user's picture goes to: the first picture. None for a generator."""
    return next((one for one in inputs if one.kind == "picture"), None)


def asked(inputs: Sequence[Input]) -> list[Input]:
    """Return the inputs that may be set: all but the photo."""
    return [one for one in inputs if one is not photo(inputs)]


def describe(settings: Sequence[Input]) -> list[dict[str, Any]]:
    """Return what may be set as JSON, for forms and pages: the card's entries, with `required` and `expects`."""
    return [{**one.to_json(), "required": one.required, "expects": one.expects} for one in settings]


def examples(inputs: Sequence[Input], picture: object) -> dict[str, object]:
    """Return something for whatever must be given, to show the style at all; `picture` for a second one."""

    def made(one: Input) -> object:
        values = {"picture": picture, "choices": (), "text": (), "number": one.minimum}
        return one.names[0] if one.kind == "choice" else values.get(one.kind, [0.0] * math.prod(one.shape))

    return {one.name: made(one) for one in asked(inputs) if one.required}


def check(inputs: Sequence[Input], given: Mapping[str, object], style: str) -> dict[str, Any]:
    """Return the plain value of everything that may be set: what is `given`, else the default, else seed 0 for noise.

    Raises UsageError for a name that the `style` does not have, a value that cannot be, or one that is missing.
    """
    known = {one.name: one for one in asked(inputs)}
    for name in given:
        if name not in known:
            takes = ", ".join(f"{one.name} ({one.expects})" for one in known.values()) or "nothing but the picture"
            raise UsageError(f"style {style} has no input {name!r}: it takes {takes}")
    for name, one in known.items():
        if one.required and name not in given:
            raise UsageError(f"style {style} needs {name}, {one.expects}: give --set {name}=VALUE")
    return {name: one.check(given[name]) if name in given else one.usual for name, one in known.items()}


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return the values of `--set NAME=VALUE` by name. Raises UsageError for a text without the sign, a name twice."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise UsageError(f"--set {text} must be NAME=VALUE, as in --set hair=blond")
        if name in pairs:
            raise UsageError(f"--set {name} is given twice, as {pairs[name]} and as {value}: give it once")
        pairs[name] = value
    return pairs


def _numbers(value: Any) -> tuple[float, ...]:
    """Read finite numbers: from text, one number, or an iterable of numbers or of pairs."""
    if isinstance(value, str):
        value = re.split(r"[\s,;]+", value.strip())
    flat: list[Any] = []
    for one in value if isinstance(value, Iterable) else [value]:
        flat += one if isinstance(one, Iterable) and not isinstance(one, str) else [one]
    numbers = tuple(map(float, flat))
    if any(isinstance(one, bool) for one in flat) or not all(abs(one) <= MAX_FLOAT for one in numbers):
        raise ValueError("no numbers")
    return numbers
