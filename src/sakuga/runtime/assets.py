"""Files that several pages share."""

from pathlib import Path

COMPARE = Path(__file__).with_name("compare.js")
"""The divider between two pictures: of the server's page, of the webcam's and of reports."""
