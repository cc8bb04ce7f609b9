"""`sakuga IN/ -o OUT/ --watch`: folders of which later files are taken too."""

from collections.abc import Iterator, Sequence

from sakuga.errors import UsageError
from sakuga.runtime.console import say

QUIET = 1000
"""Milliseconds without a change after which a file that came counts as whole."""
LONGEST = 60_000
"""Milliseconds after which it is looked at all the same."""


def watched(folders: Sequence[str]) -> Iterator[None]:
    """Yield once at the beginning, and then whenever something has come into one of the folders, at any depth.

    Ends with KeyboardInterrupt. Raises UsageError where watchfiles is not installed.
    """
    try:
        from watchfiles import Change, watch
    except ImportError:
        raise UsageError('--watch needs watchfiles: pip install "sakuga[watch]"') from None

    def is_news(change: Change, path: str) -> bool:
        return change != Change.deleted and "/." not in path.replace("\\", "/")  # nor our own temporary files

    changes = watch(
        *folders, watch_filter=is_news, debounce=LONGEST, step=QUIET, rust_timeout=500, yield_on_timeout=True
    )
    next(changes)  # it begins here: what comes while the first pictures are painted is news
    say(f"watching {', '.join(folders)}; Ctrl-C ends")
    yield
    for change in changes:
        if change:
            yield
