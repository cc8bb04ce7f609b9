"""Options that several steps have."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

Inputs = Annotated[Positional[list[Path]], arg(metavar="IN...", help_behavior_hint="")]
Output = Annotated[Path, arg(aliases=["-o"], metavar="DIR", help_behavior_hint="")]
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Function = Annotated[str | None, arg(metavar="MODULE:FUNCTION", help_behavior_hint="")]
Cluster = Annotated[str | None, arg(metavar="[ADDRESS]", help_behavior_hint="")]
Flag = Annotated[bool, arg(help_behavior_hint="")]
