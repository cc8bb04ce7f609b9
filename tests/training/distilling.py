"""`sakuga train distill`, tiny, of a teacher that inverts."""

from sakuga.cli import main


def invert(photo):
    """The teacher of these tests."""
    return 255 - photo


def refuse(photo):
    """A teacher that cannot."""
    raise ArithmeticError(photo.shape)


def crop(photo):
    """A teacher that returns another shape."""
    return photo[:10]


def nothing(photo):
    """A teacher that forgets to return."""


def distil(photos, run, *more):
    command = ["train", "distill", "--run", run, "--photos", photos, "--cache", run.parent / "cache"]
    command += ["--crop", 32, "--batch", 2, "--width", 8, "--blocks", 1, "--save-every", 4, "--log-every", 2]
    return main([str(c) for c in [*command, "--accelerator", "cpu", *more]])


def quick(*more):
    return ["--teacher", "distilling:invert", "--perceptual", 0, "--steps", 8, *more]
