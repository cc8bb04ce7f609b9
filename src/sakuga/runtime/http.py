"""What our pages share: the script that compares two pictures, and which Host headers servers believe."""

import re
from pathlib import Path

COMPARE = Path(__file__).with_name("compare.js")
"""The divider between two pictures: in the server's page, the webcam's and reports."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)


def host_name(host: str) -> str | None:
    """The name or address in a Host header, in lower case and without brackets; None where it is no such header.

    Strictly a name and a port (RFC 9110, 7.2): parsers of addresses would find a local name in `evil@localhost`.
    """
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else None
