"""Steps that find faces: with a function of the user's, or with the networks that `sakuga download faces` fetches."""

from collections.abc import Sequence

from sakuga.errors import UsageError
from sakuga.faces.side_files import find_side_file
from sakuga.faces.weights import missing
from sakuga.prepare.files import File

LANDMARKS, BOXES = "sakuga.faces.find:landmarks", "sakuga.faces.find:boxes"


def require_faces(files: Sequence[File], instead: str = "") -> None:
    """Refuse, before any work, what needs the networks where they are missing; not where each picture has a side file.

    `instead`: the option that names a function in their place. Raises UsageError.
    """
    sentence = missing()
    if sentence and not all(find_side_file(file.source.parent, file.source.stem) for file in files):
        other = f"name a function of yours ({instead})" if instead else "lay landmarks beside the pictures"
        raise UsageError(f"{sentence}, or {other}")
