"""What users run of a trained system: a network, what it is given, and on which sizes it works."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from sakuga.faces.frame import FaceFrame as FaceFrame
from sakuga.style.inputs import PICTURE, Input


@dataclass(frozen=True)
class Artefact:
    """A network that makes one picture (N, 3, H, W) of its inputs; values beyond [-1, 1] are clipped for users.

    Attributes:
        module: called with one tensor for each of `inputs`, in their order and as `style.inputs.Input` describes them;
            in eval mode it is a function of them alone.
        inputs: what it is given; without a picture it is a generator.
        multiple: of which the sides of its pictures are.
        receptive_field: pixels, from end to end, on which one of the result depends; 0 for the whole picture.
        scale: how many times wider and taller than the first picture the result is.
        match_histogram: whether the result's values are then given the photo's distribution.
        size: (height, width) of its pictures if it runs on no other.
        frame: of a network for faces: the photo's face is moved there first.
        named: whether weights keep their names in the file, so that the module can be built from it again.

    Raises:
        ValueError: two inputs share a name, or points lie in a picture that may be cut into tiles.
    """

    module: nn.Module
    inputs: tuple[Input, ...] = (PICTURE,)
    multiple: int = 1
    receptive_field: int = 0
    scale: int = 1
    match_histogram: bool = False
    size: tuple[int, int] | None = None
    frame: FaceFrame | None = None
    named: bool = False

    def __post_init__(self) -> None:
        names = [one.name for one in self.inputs]
        if len({*names}) < len(names):
            raise ValueError(f"two inputs share a name: {names}")
        if self.receptive_field and not self.tileable:
            raise ValueError("receptive_field must be 0 where no picture can be cut into tiles")

    @property
    def picture(self) -> str:
        """Name of the photo among the inputs; raises StopIteration for a generator."""
        return next(one.name for one in self.inputs if one.kind == "picture")

    @property
    def tileable(self) -> bool:
        """Whether parts of its picture may be run on their own: one of any size, no face, nothing counted in pixels."""
        kinds = {one.kind for one in self.inputs}
        return self.size is None and self.frame is None and "picture" in kinds and "points" not in kinds


def translation(network: Any) -> Artefact:
    """Return the artefact of a network from photo to picture that has `multiple` and `receptive_field` itself."""
    return Artefact(network, multiple=network.multiple, receptive_field=network.receptive_field)
