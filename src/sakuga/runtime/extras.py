"""The extras of the package, what each installs, and which installed packages are older than it takes."""

import re

PACKAGES = {
    "train": {"torch", "lightning_fabric", "onnx", "scipy", "skimage", "tensorboard", "filelock"},
    "serve": {"fastapi", "uvicorn", "starlette", "prometheus_client", "python_multipart"},
    "cluster": {"ray", "pyarrow", "fsspec", "s3fs"},
    "faces": {"ai_edge_litert"},
    "heic": {"pillow_heif"},
    "jxl": {"pillow_jxl"},
    "watch": {"watchfiles"},
    "virtual": {"pyvirtualcam"},
}
"""What each extra installs, by the names under which it is imported."""


def too_old() -> dict[str, tuple[str, str]]:
    """The installed packages below the bounds that this package declares: their versions, and the lowest it takes."""
    import importlib.metadata  # takes a while, and only the doctor asks

    found: dict[str, tuple[str, str]] = {}
    for need in importlib.metadata.requires("sakuga") or ():
        bound = re.match(r"([\w.-]+)\s*>=\s*([\d.]+)", need)
        if bound is None or re.search(r"extra\s*==\s*['\"](dev|docs)", need):
            continue
        try:
            version = importlib.metadata.version(bound[1])
        except importlib.metadata.PackageNotFoundError:
            continue
        if _numbers(version) < _numbers(bound[2]):
            found[bound[1]] = version, bound[2]
    return found


def _numbers(version: str) -> list[int]:
    """The numbers that a version begins with, without zeros at their end."""
    numbers = [int(number) for number in re.match(r"[\d.]*", version)[0].split(".") if number]  # type: ignore[index]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
