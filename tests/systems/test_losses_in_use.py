"""Which losses the systems are made of: every one that the texts of docs/losses.md name is some system's.

That each system is trained is what the generic tests say; those are of all of `SYSTEMS`, as these are.
"""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

from sakuga import losses
from sakuga.systems import SYSTEMS

PAGE = (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
NAMED = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL).split("## What no text names")[0]
WITHIN = {"huber": "color_reconstruction", "rgb_to_yuv": "color_reconstruction", "rgb_to_lab": "lab_color"}
SUMS = {"auxiliary_classifier": ("acgan", {"bce", "domain_classification"})}
"""Losses that other losses are made of; and a sum, whose parts its system weighs and logs one by one."""
UNUSED = {"Adversarial", "relativistic"}
"""A class to make pairs of, and a pair that no paper here trains with."""


@cache
def imported(module: str) -> frozenset[str]:
    """Names of losses that a module of `sakuga.systems` imports, and those that it builds upon."""
    spec = importlib.util.find_spec(module)
    assert spec
    assert spec.origin
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sakuga.losses":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("sakuga.systems."):
            found |= imported(str(node.module))
    return frozenset(found)


def used() -> dict[str, frozenset[str]]:
    return {name: imported(place.partition(":")[0]) for name, (place, _) in SYSTEMS.items()}


def in_calls(text: str) -> set[str]:
    return {name for span in re.findall(r"`([^`]+)`", text) for name in re.findall(r"\w+", span)} & {*losses.__all__}


def test_every_loss_that_a_text_names_is_a_system_s():
    own = set().union(*used().values())
    assert in_calls(NAMED) - own - WITHIN.keys() == SUMS.keys()
    for system, parts in SUMS.values():
        assert parts <= used()[system]


def test_what_no_system_uses_is_told():
    own = set().union(*used().values())
    assert {*losses.__all__} - own == WITHIN.keys() | SUMS.keys() | UNUSED
    assert set(WITHIN.values()) <= own
    told = PAGE.split("## Which systems use them")[1].split("\n## ")[0]
    assert {*re.findall(r"`(\w+)`", told)} >= WITHIN.keys() | {*WITHIN.values()} | SUMS.keys() | UNUSED
