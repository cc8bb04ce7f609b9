"""`sakuga prepare edges`: copies of a style's pictures without their clear outlines."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sakuga.data.derived.edges import smooth_edges
from sakuga.data.images import load_image
from sakuga.errors import UsageError
from sakuga.prepare.files import find, save
from sakuga.prepare.manifest import Row
from sakuga.prepare.options import Cluster, Number
from sakuga.prepare.runner import describe, work


def edges(
    inputs: Annotated[Positional[list[Path]], arg(metavar="IN...", help_behavior_hint="")],
    /,
    *,
    output: Annotated[Path, arg(aliases=["-o"], metavar="DIR")],
    size: int = 256,
    workers: Number = None,
    cluster: Cluster = None,
    overwrite: bool = False,
) -> int:
    """Make copies of pictures whose edges are blurred, as CartoonGAN and AnimeGAN show them to D as fake.

    The systems of `sakuga train` smooth their crops while they train and need no such folder; it is for looking at what
    they see, and for other programs that read one.

    Args:
        inputs: folders of pictures in the style.
        output: folder of the copies, PNG, with the tree of the input below it.
        size: shorter side to which pictures are scaled before, pixels, as --load does in training: the blur is five
            pixels wide at that scale. 0 leaves them as they are.
        workers: processes; by default one for each core.
        cluster: work on all machines of the Ray cluster at HOST:PORT, ray://HOST:PORT or auto, or on one begun here.
        overwrite: make again what is there.
    """
    if size and size < 16:
        raise UsageError(f"--size {size} must be 16 or more, or 0 to leave pictures as they are")
    recipe = describe("edges", size=size)
    todo = partial(work, recipe=recipe, workers=workers, cluster=cluster, overwrite=overwrite)
    return todo(find(inputs, output), partial(_smooth, size), output)


def _smooth(size: int, source: Path, target: Path) -> Sequence[Row]:
    result = target.with_name(f"{target.name}.png")
    save(smooth_edges(load_image(source, short_side=size or None)), result)
    return [Row(str(result))]
