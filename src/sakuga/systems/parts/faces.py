"""What systems share that know the landmarks of faces: where these lie on disk, and regressors trained before."""

from pathlib import Path
from typing import Any

import torch

from sakuga.data.landmarks import Landmarks
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError
from sakuga.networks.landmarks import LandmarkRegressor


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

    Raises:
        UsageError: the folder is no such run, or one of other sizes.
        SakugaError: its checkpoint is damaged.
    """
    file = next((run / name for name in ("best.pt", "last.pt") if (run / name).is_file()), None)
    if file is None:
        raise UsageError(f"{option} {run} holds no checkpoint: name a run of `sakuga train landmarks`")
    try:
        state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
        name, config, weights = state["name"], state["config"], state["finished"].get("regressor", {})
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{file} is damaged ({type(error).__name__}): train it again") from error
    if name != "landmarks":
        raise UsageError(f"{option} {run} is a run of {name}: name one of `sakuga train landmarks`")
    if (config["crop"], config["sigma"]) != (side, sigma):
        raise UsageError(
            f"{option} {run} learned crops of {config['crop']} pixels with --sigma {config['sigma']}, not of {side} "
            f"with {sigma}: train both alike"
        )
    try:
        regressor.load_state_dict(weights)
    except RuntimeError as error:
        raise UsageError(
            f"{option} {run} has networks of --width {config['width']} --levels {config['levels']} for "
            f"{config['points']} landmarks: set --regressor-width and --regressor-levels alike; landmarks must be 5"
        ) from error
