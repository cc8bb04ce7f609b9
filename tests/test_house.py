"""The plan of the house: which folder may import which."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "sakuga"

USING = ["errors", "runtime", "picture", "faces", "style", "video", "stylizer"]
"""The half that runs styles, from below upwards: each may import what stands before it."""
DOORS = {"serve", "webcam", "cluster"}
"""Ways into the using half; none knows another."""
MAKING = [
    {"losses", "networks"},
    {"metrics", "importers"},
    {"data"},
    {"teachers"},
    {"systems"},
    {"runs"},
    {"export"},
    {"training"},
    {"prepare"},
    {"evaluation"},
]
"""The half that trains them, which may use the other one: each row may import the rows before it."""


def allowed(room: str) -> set[str]:
    """The rooms that one may import besides itself."""
    if room in USING:
        return set(USING[: USING.index(room)])
    if room in DOORS:
        return set(USING)
    for row, rooms in enumerate(MAKING):
        if room in rooms:
            # networks and losses know each other: White-box's guided filter is both.
            beside = rooms if row == 0 else set()
            # One function over many files, on many machines.
            spread = {"cluster"} if room in ("prepare", "evaluation") else set()
            return set(USING).union(beside, spread, *MAKING[:row])
    above = set(USING) | DOORS | set().union(*MAKING)
    return {"commands": above, "cli": above | {"commands"}, "__main__": {"cli"}, "__init__": set(USING)}[room]


def room_of(path: Path) -> str:
    """The folder or, at the top level, the module."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, also within functions and for annotations alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" if node.module == "sakuga" else node.module for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("sakuga.") and name != "sakuga.__version__"}
    return found - {room_of(path)}


FILES = sorted(SOURCE.rglob("*.py"))


def test_arrows_point_downward_only():
    assert len(FILES) > 150
    upward = {
        str(path.relative_to(SOURCE)): sorted(rooms)
        for path in FILES
        if (rooms := imported(path) - allowed(room_of(path)))
    }
    assert upward == {}


def test_the_top_level_holds_folders_and_six_modules_at_most():
    assert {path.stem for path in SOURCE.glob("*.py")} <= {
        "__init__",
        "__main__",
        "cli",
        "errors",
        "cluster",
        "runs",
    }


def test_the_using_half_knows_nothing_of_torch():
    using = [path for path in FILES if room_of(path) in {*USING, *DOORS}]
    assert len(using) > 50
    for path in using:
        assert "torch" not in path.read_text(encoding="utf-8").split("import"), path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"torch", "onnx", "scipy", "skimage"}, path


def test_files_are_renamed_by_the_one_function_that_waits_for_scanners():
    """`os.replace`, or `replace` of a path, which unlike that of a text has one argument."""
    found = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of_os = ast.unparse(node.func) in ("os.replace", "os.rename", "shutil.move")
                of_path = node.func.attr == "rename" or (node.func.attr == "replace" and len(node.args) == 1)
                if of_os or (of_path and not node.keywords):
                    found.add(path.relative_to(SOURCE).as_posix())
    assert found == {"runtime/atomic.py", "style/engine.py"}  # the latter's is of a network's node
