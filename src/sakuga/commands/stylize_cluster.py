"""`sakuga stylize --cluster`: the plan of one machine, carried out by many."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sakuga.runtime.console import counter, progress_bars, say
from sakuga.stylizer import Stylizer
from sakuga.stylizer.batch import Report
from sakuga.stylizer.jobs import Job

_EVERY_S = 30.0
"""Seconds between two lines of progress where there is no terminal, as in the log of a scheduler."""


def run_on_cluster(
    jobs: Sequence[Job],
    stylizers: dict[str, Stylizer],
    address: str,
    at_once: int | None,
    manifest: str | None,
    options: dict[str, Any],
) -> Report:
    """Have the jobs done, and show how far they are."""
    from sakuga.cluster.manifest import manifest as open_manifest
    from sakuga.cluster.run import run

    with open_manifest(manifest, overwrite=options["overwrite"]) as table, progress_bars() as progress:
        count = counter(progress, len(jobs)) or _lines(len(jobs))
        return run(jobs, stylizers, address, at_once=at_once, progress=count, manifest=table, **options)


def _lines(total: int) -> Callable[[], None]:
    """Return what counts files and says now and then how many are done, how fast since the first of them, and how long
    the others take.
    """
    done = 0
    begun = told = time.monotonic()

    def count() -> None:
        nonlocal begun, done, told
        done += 1
        now = time.monotonic()
        if done == 1:  # until then Ray began
            begun = told = now
        elif now - told >= _EVERY_S and done < total:
            told, rate = now, (done - 1) / (now - begun)
            left = timedelta(seconds=round((total - done) / rate))
            say(f"{done} of {total}, {rate:.3g} a second, {left} left")

    return count
