"""What systems share that know the landmarks of faces: where these lie on disk, and regressors trained before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sakuga.data.landmarks import Landmarks
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.networks.landmarks import LandmarkRegressor
from sakuga.systems.base import Config
from sakuga.systems.fields import AtLeast, MoreThan, Role
from sakuga.systems.parts.trained import read_run


@dataclass
class LandmarkedConfig(Config):
    """What systems are told that draw landmarks as heat maps, and have networks that find them."""

    landmarks: Annotated[Path | None, Role("landmarks", of="name")] = None
    """Folder of the photos' landmarks, side files of their names; by default beside the photos."""
    sigma: Annotated[float, MoreThan(0)] = 2.5
    """Standard deviation of a landmark's spot in its heat map, pixels."""
    regressor: Annotated[Path | None, Role("landmark regressor", of="name")] = None
    """A run of `landmarks` on such photos; without it a regressor learns beside the generator."""
    regressor_width: Annotated[int, AtLeast(2)] = 16
    """Channels of a regressor's first level."""
    regressor_levels: Annotated[int, AtLeast(2)] = 5
    """How often a regressor halves a crop."""

    def check_levels(self) -> None:
        """Refuse crops that cannot be halved so often (UsageError)."""
        if self.crop % 2**self.regressor_levels:
            raise UsageError(
                f"--crop {self.crop} must be a multiple of {2**self.regressor_levels} with "
                f"--regressor-levels {self.regressor_levels}"
            )


def read_landmarks(pictures: Pictures, folder: Path | None, option: str, beside: str, *, count: int) -> Landmarks:
    """Read the landmarks of pictures from the folder that `option` names, or from where the pictures lie (`beside`).

    Raises UsageError where a picture has none, or others than `count`, or where pictures are of several folders and no
    other is named.
    """
    if folder is None:
        if len(pictures.folders) != 1:
            raise UsageError(f"{option} is missing: name the folder of the landmarks of {beside}")
        folder = pictures.folders[0]
    found = Landmarks(pictures, folder)
    if len(found.points[0]) != count:
        raise UsageError(
            f"{folder} holds {len(found.points[0])} landmarks a face, not {count}: "
            f"`sakuga prepare landmarks --points {count}` finds these"
        )
    return found


def load_regressor(regressor: LandmarkRegressor, run: Path, option: str, *, side: int, sigma: float) -> None:
    """Give a regressor the weights of a run of `landmarks`, for pictures of `side` pixels and heat maps of `sigma`.

    They stay as they are.

    Raises what `read_run` raises, and UsageError for a run of other sizes.
    """
    state = read_run(run, option, "landmarks")
    config = state["config"]
    if (config["crop"], config["sigma"]) != (side, sigma):
        raise UsageError(
            f"{option} {run} learned crops of {config['crop']} pixels with --sigma {config['sigma']}, not of {side} "
            f"with {sigma}: train both alike"
        )
    try:
        regressor.load_state_dict(state["finished"]["regressor"])
    except RuntimeError as error:
        raise UsageError(
            f"{option} {run} has networks of --width {config['width']} --levels {config['levels']} for "
            f"{config['points']} landmarks: set --regressor-width and --regressor-levels alike; landmarks must be "
            f"{regressor.points}"
        ) from error
    regressor.requires_grad_(False)
