"""Generators that styles steer, of a training or of a file, for what must see their latents."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from sakuga import runs
from sakuga.data.images import to_uint8
from sakuga.errors import UsageError
from sakuga.evaluation.given import Which, checkpoint_name, is_run
from sakuga.export.rebuild import rebuild
from sakuga.picture.pixels import Array
from sakuga.style import Style, load
from sakuga.style.inputs import Input
from sakuga.training.latents import read_latents
from sakuga.training.projection import Steered

STEERED = ("stylegan2", "stylegan")
TRUNCATION = Input("truncation", "number", minimum=0, maximum=1, default=1)
"""What is left of a latent's distance from the mean."""


def load_steered(name: str, which: Which) -> Steered:
    """Return the generator of a training's folder, or of a style or its file, in eval mode.

    Raises:
        UsageError: there is none, it is of another system, or a file does not hold its weights by name.
        SakugaError: it is damaged.
    """
    found = runs.build(Path(name), checkpoint_name(Path(name), which)) if is_run(name) else load(name)
    made_by = found.card.system if isinstance(found, Style) else found.name
    if made_by not in STEERED:
        raise UsageError(f"{name} is of {made_by}, which has no latents: name a training of {' or '.join(STEERED)}")
    system = rebuild(found) if isinstance(found, Style) else found
    generator: Steered = system.get_submodule("generator")  # type: ignore[assignment]
    return generator.eval()


class FromLatents:
    """Makes pictures of latents that `sakuga project` found, each with the noise found with it.

    Args:
        name: a training's folder, or a style.
        which: of a training's weights.
        paths: of the latents.
        values: `truncation`, from 1, the latent, to 0, the mean.
        threads: how many to compute with; None: one for each core.

    Raises UsageError for latents of other weights, and for other values.
    """

    def __init__(
        self,
        name: str,
        which: Which,
        paths: Sequence[Path],
        values: Mapping[str, object],
        *,
        threads: int | None = None,
    ):
        if threads is not None:
            torch.set_num_threads(threads)
        self.name, self.generator = Path(name).resolve().name.removesuffix(".onnx"), load_steered(name, which)
        if unknown := values.keys() - {TRUNCATION.name}:
            raise UsageError(f"--set {min(unknown)}: with --latent there is truncation alone, {TRUNCATION.expects}")
        self.truncation = TRUNCATION.check(values.get(TRUNCATION.name, TRUNCATION.default))
        self.latents = [read_latents(path, self.generator) for path in paths]
        self.drawn = range(len(paths))

    def __call__(self, place: int) -> Array:
        """Return the picture of a latent, RGB (H, W, 3) uint8."""
        return self._picture(self.latents[place].w, place)

    def walk(self, places: Sequence[int], steps: int) -> Iterator[Array]:
        """Yield the pictures straight from latent to latent and back to the first, `steps` for each part of the way.

        The noise is the first one's throughout.
        """
        for here, there in pairwise([*places, places[0]]):
            for step in range(steps):
                w = torch.lerp(self.latents[here].w, self.latents[there].w, step / steps)
                yield self._picture(w, places[0])

    @torch.inference_mode()
    def _picture(self, w: Tensor, place: int) -> Array:
        mapping = self.generator.mapping
        self.latents[place].put_into(self.generator)
        made = self.generator.render(mapping.truncate(w, self.truncation))
        picture: Array = to_uint8(made)[0]
        return picture
