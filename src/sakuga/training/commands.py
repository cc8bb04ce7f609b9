"""The verbs of the training half: `sakuga train`, `sakuga export`, `sakuga download`."""

from collections.abc import Sequence

import tyro

from sakuga.training.download import download
from sakuga.training.export import build as build
from sakuga.training.export import export
from sakuga.training.train import train


def main(verb: str, args: Sequence[str]) -> int:
    """Run one verb of the training half; the exit status."""
    if verb == "train":
        return train(args)
    if verb == "export":
        return tyro.cli(export, args=list(args), prog="sakuga export")
    return tyro.cli(download, args=list(args), prog="sakuga download")
