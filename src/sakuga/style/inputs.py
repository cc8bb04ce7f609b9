"""What a style is given besides its weights: pictures, noise, choices, numbers, as its card declares them."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from sakuga.errors import SakugaError

Kind = Literal["picture", "noise", "choice", "choices", "number", "vector", "points", "text"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Input:
    """One input of a style's network, by the name that its ONNX input has.

    The tensor for each kind, float32 unless said otherwise:

    - `picture`: (1, 3, H, W), RGB in [-1, 1]. The first one is the photo, a second one a reference.
    - `noise`: (1, size), from a standard normal distribution.
    - `choice`: (1, len(names)), one-hot. `choices`: the same with any number of ones.
    - `number`: (1,), within `minimum` and `maximum`.
    - `vector`: (1, size).
    - `points`: (1, size, 2), x and y in pixels of the picture as the network is given it.
    - `text`: (1, size) int64, places in `names`, the vocabulary, whose first entry fills what is left.

    Attributes:
        name: of the ONNX input, and of `--set NAME=VALUE`.
        kind: see above.
        size: of noise, vector, points and text.
        names: of choices, or the vocabulary of a text.
        minimum: of a number.
        maximum: of a number.
        default: what holds where nothing is said: a number, a name, a list of names or of numbers; None: it must be
            given, but for pictures (the photo) and noise (drawn).
    """

    name: str
    kind: Kind
    size: int = 0
    names: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 1.0
    default: Any = None

    @classmethod
    def from_json(cls, value: Any) -> "Input":
        """Read one entry of a card. Raises SakugaError when it cannot be one."""
        if not isinstance(value, dict) or not isinstance(value.get("name"), str) or value.get("kind") not in KINDS:
            raise SakugaError("the card's inputs must be objects with a name and a known kind")
        known = {f.name: value[f.name] for f in fields(cls) if f.name in value}
        return cls(**known | {"names": tuple(known.get("names", ()))})

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a card; what is at its default is left out."""
        plain = asdict(self) | {"names": list(self.names)}
        standard = {f.name: f.default for f in fields(self)} | {"names": []}
        return {k: v for k, v in plain.items() if v != standard.get(k)}


PICTURE = Input("image", "picture")
"""The one input of a style that translates a photo and asks nothing else."""
