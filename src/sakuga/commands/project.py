"""`sakuga project`: the latent of a picture in a generator that styles steer."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import DisallowNone, Positional, arg

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import Frame, Picture, read_rgb, write
from sakuga.runtime.atomic import atomic, check_free
from sakuga.runtime.console import print_path, say, track
from sakuga.runtime.flags import Flag, Number

if TYPE_CHECKING:
    from sakuga.training.projection import Projection

SAVE_EVERY = 50
"""Steps after which what was found is kept on disk."""


def main(args: Sequence[str]) -> int:
    """Run `sakuga project` with its arguments; the exit status."""
    return tyro.cli(project, args=list(args), prog="sakuga project", config=(DisallowNone,))


def project(
    picture: Annotated[Positional[Path], arg(metavar="PICTURE")],
    /,
    *,
    style: Annotated[str, arg(aliases=["-s"], metavar="RUN|FILE")],
    space: Literal["w", "w+"] = "w",
    steps: Annotated[int, arg(metavar="N")] = 1000,
    seed: Annotated[int, arg(metavar="N")] = 0,
    output: Annotated[Path | None, arg(aliases=["-o"], metavar="FILE", help_behavior_hint="")] = None,
    which: Literal["last", "best"] = "last",
    weights: Annotated[str | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    overwrite: Flag = False,
    threads: Number = None,
) -> int:
    """Find the latent with which stylegan2 or stylegan makes a picture as near to yours as it can.

    Leaves that picture, PICTURE.projected.png, and its latent, PICTURE.projected.npz, of which `sakuga generate RUN
    --latent FILE.npz` makes it again. Where it was stopped, the same command goes on.

    Args:
        picture: Of the kind that the training learned; its middle is scaled to the training's size.
        style: Folder of a training of stylegan2 or stylegan, or a file exported from one of stylegan2.
        space: w is one latent for all layers; w+ one for each, which comes nearer and strays from what was learned.
        steps: How often the latent is moved.
        seed: Of all random numbers.
        output: The picture's file, .png; the latent lies beside it.
        which: Of a training, the last weights or the best by KID.
        weights: Of VGG-16, by which pictures are compared; by default those of `sakuga download vgg16`.
        overwrite: Replace results that exist.
        threads: Threads to compute with; otherwise one for each core.
    """
    if steps < 1 or seed < 0 or (threads is not None and threads < 1):
        raise UsageError("--steps and --threads must be at least 1 and --seed at least 0")
    target = output or Path(f"{picture.stem}.projected.png")
    if target.suffix != ".png":
        raise UsageError(f"--output {target} must end in .png")
    latent, part = target.with_suffix(".npz"), target.with_suffix(".part")
    for path in (target, latent):
        check_free(path, overwrite)

    import torch

    from sakuga.data.images import to_tensor, to_uint8
    from sakuga.evaluation.gather import square
    from sakuga.evaluation.steered import load_steered
    from sakuga.metrics.perceptual import PerceptualDistance
    from sakuga.training.latents import Latents, fingerprint
    from sakuga.training.projection import Projection

    if threads is not None:
        torch.set_num_threads(threads)
    rgb, generator = read_rgb(picture), load_steered(style, which)
    height, width = rgb.shape[:2]
    with torch.inference_mode():
        side = generator.eval().render(generator.mapping.mean.repeat(1, generator.layers, 1)).shape[-1]
    if height != width:
        say(f"{picture} is {width}x{height}: its middle square is projected")
    distance = PerceptualDistance(weights=weights)
    if distance.missing:
        say(f"pictures are compared by plain pixels, for {distance.missing}")
    goal = to_tensor(square(rgb, side))
    found = Projection(generator, goal, lambda a, b: distance(a, b).mean(), space=space, steps=steps, seed=seed)
    shown = hashlib.sha256(goal.numpy().tobytes()).hexdigest()
    key = [fingerprint(generator), shown, space, str(steps), str(seed), distance.name]
    _take_up(found, part, key)
    try:
        for _ in track(found.run(), "Projecting", steps - found.taken):
            if found.taken % SAVE_EVERY == 0:
                with atomic(part, overwrite=True) as temporary:
                    torch.save({"key": key, "state": found.state()}, temporary)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted at step {found.taken}: the same command goes on") from None
    latents = Latents(found.latents, found.maps, key[0])
    latents.write(latent, overwrite=overwrite)
    write(Picture([Frame(to_uint8(found.picture())[0])]), target, overwrite=overwrite)
    print(f"{distance.name} {found.error():.4f}; of the mean picture {found.error(found.mean_latents):.4f}", flush=True)
    print_path(target)
    print_path(latent)
    with suppress(OSError):
        part.unlink()
    return 0


def _take_up(found: "Projection", part: Path, key: list[str]) -> None:
    """Go on from what an earlier run with the same `key` left in the file `part`."""
    import torch

    if not part.exists():
        return
    try:
        stored = torch.load(part, weights_only=True)
        same = stored["key"] == key
        if same:
            found.resume(stored["state"])
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{part} is damaged ({type(error).__name__}): remove it to begin anew") from error
    say(f"going on from step {found.taken} of {found.steps}" if same else f"{part} is of another projection: anew")
