"""What our pages share: scripts, and which Host headers servers believe."""

import re
from pathlib import Path

SCRIPTS = {file.name: file for file in sorted(Path(__file__).parent.glob("*.js"))}
"""compare.js: the divider between two pictures; inputs.js: controls for what a style asks for, made with dom.js."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)


def host_name(host: str) -> str | None:
    """The name or address in a Host header, in lower case and without brackets; None where it is no such header.

    Strictly a name and a port (RFC 9110, 7.2): parsers of addresses would find a local name in `evil@localhost`.
    """
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else None
