"""Options that take a list, given several times."""

from pathlib import Path

import pytest

from sakuga.commands.options import join_lists


def command(
    style: str,
    /,
    *,
    photos: tuple[Path, ...] = (),
    style_images: tuple[str, ...] = (),
    layers: tuple[int, int] = (1, 2),
) -> None:
    """What join_lists looks at."""


@pytest.mark.parametrize(
    ("given", "joined"),
    [
        ("x --photos a --photos b", "x --photos a b"),
        ("--photos a b --lr 1 --photos=c -o x", "--photos a b c --lr 1 -o x"),
        ("--style_images a=1 --photos p --style-images b=2 -3", "--style-images a=1 b=2 -3 --photos p"),
        ("--layers 1 2 --layers 3 4", "--layers 1 2 --layers 3 4"),
        ("x y --other a --other b", "x y --other a --other b"),
        ("", ""),
    ],
)
def test_uses_of_one_list_are_joined(given: str, joined: str) -> None:
    assert join_lists(given.split(), command) == joined.split()
