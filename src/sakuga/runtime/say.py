"""What a person should hear that is no result."""

import sys


def say(sentence: str) -> None:
    """Print a sentence on standard error."""
    print(f"sakuga: {sentence}", file=sys.stderr, flush=True)
