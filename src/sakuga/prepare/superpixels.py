"""`sakuga prepare superpixels`: the segments that White-box and AnimeGANv3 compute before they train."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from sakuga.cluster.mapped import mapped
from sakuga.data.derived import segments
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.files import find
from sakuga.prepare.glance import readable
from sakuga.prepare.options import Cluster, Number
from sakuga.prepare.runner import parallel
from sakuga.runtime.console import say

METHODS = {"whitebox": segments.superpixels, "animegan3": segments.regions}


def superpixels(
    photos: Annotated[Positional[list[Path]], arg(metavar="PHOTOS...", help_behavior_hint="")],
    /,
    *,
    system: Annotated[Literal["whitebox", "animegan3"], arg(name="for")] = "whitebox",
    cache: Path = Path("runs/segments"),
    load: int = 256,
    crop: int = 256,
    workers: Number = None,
    cluster: Cluster = None,
) -> int:
    """Compute the segments of photographs that training would wait for at its start.

    `sakuga train whitebox --photos PHOTOS...` with the same --cache, --load and --crop finds them, from any folder and
    until a photo changes. What is there already is not computed again.

    Args:
        photos: folders of photographs, as for --photos of the training.
        system: the system to be trained: whitebox takes SLIC's segments, animegan3 Felzenszwalb's.
        cache: folder of the segments, one .npy of labels (H, W) for each photo.
        load: shorter side to which the training scales photos, pixels.
        crop: side of the training's crops; where it is larger than load, photos are scaled to it.
        workers: processes that look for unreadable photos; segments take one for each core.
        cluster: work on all machines of the Ray cluster at HOST:PORT, ray://HOST:PORT or auto, or on one begun here.
    """
    if min(load, crop) < 1:
        raise UsageError(f"--load {load} and --crop {crop} must be at least 1")
    if cache.exists() and not cache.is_dir():
        raise UsageError(f"--cache {cache} is a file; name a folder")
    paths = [file.source for file in find(photos)]
    # Found before: in the midst of the segments an unreadable photo would end the work.
    looked = parallel(readable, paths, title="photos", workers=workers, cluster=cluster)
    failures = {path: error for path, error in looked if isinstance(error, SakugaError)}
    for error in failures.values():
        say(error)
    good = [path for path in paths if path not in failures]
    if good:
        # `keep` is not part of what the segments are called by; the options are, and so must equal the training's.
        pictures = Pictures(good, short_side=max(load, crop), keep=0)
        on_cluster = None if cluster is None else partial(mapped, address=cluster)
        segments.Segments(pictures, cache, METHODS[system], on_cluster)
    print(f"{cache}: segments of {len(good)} photos, {len(failures)} failed")
    return 1 if failures else 0
