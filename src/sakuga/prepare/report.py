"""What a step tells: tables."""

from rich.console import Console
from rich.table import Table


def show(table: Table) -> None:
    """Print a table; into a pipe as wide as it needs."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200  # a pipe has no width
    console.print(table)
