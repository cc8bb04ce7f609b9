"""What systems share that know the landmarks of faces: where these lie on disk, and regressors trained before."""

from pathlib import Path

from sakuga.data.landmarks import Landmarks
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.networks.landmarks import LandmarkRegressor
from sakuga.systems.parts.trained import read_run


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
