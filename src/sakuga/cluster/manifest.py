"""A table of what a run did, one row for each job, in Parquet."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sakuga.cluster.worker import Outcome
from sakuga.errors import UsageError
from sakuga.runtime.atomic import check_free
from sakuga.runtime.urls import Url, path_of, put
from sakuga.stylizer.jobs import Job

_ROWS = 4096
"""Rows that are held before they are written."""


class Manifest:
    """Rows of `source`, `target`, `style`, `status` (done, skipped, failed), `seconds`, `sha256` of the result and
    `message`, in the order in which the jobs ended.
    """

    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        text = [(name, pa.string()) for name in ("source", "target", "style", "status", "sha256", "message")]
        self.schema = pa.schema([*text[:4], ("seconds", pa.float64()), *text[4:]])
        self.rows: list[dict[str, Any]] = []
        self.writer = parquet.ParquetWriter(str(file), self.schema)

    def add(self, job: Job, outcome: Outcome) -> None:
        """Add a row."""
        row: dict[str, Any] = {
            "source": str(job.source),
            "target": str(job.target),
            "style": job.style,
            "status": outcome.status,
        }
        row |= {"seconds": outcome.seconds, "sha256": outcome.sha256 or None, "message": outcome.sentence or None}
        self.rows.append(row)
        if len(self.rows) == _ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the rows that are held."""
        import pyarrow as pa

        if self.rows:
            self.writer.write_table(pa.Table.from_pylist(self.rows, self.schema))
        self.rows = []


@contextmanager
def manifest(name: str | None, *, overwrite: bool) -> Iterator[Manifest | None]:
    """Yield the manifest that is written to a path or an address, whole and at the end; None without a name.

    A run that is interrupted writes what it did. Raises UsageError for another suffix, ExistsError where it exists.
    """
    if name is None:
        yield None
        return
    target = path_of(name)
    if target.suffix.lower() != ".parquet":
        raise UsageError(f"--manifest {name} must end in .parquet")
    if not isinstance(target, Url):
        check_free(target, overwrite)
    with tempfile.TemporaryDirectory(prefix="sakuga-") as folder:
        local = Path(folder) / target.name
        made = Manifest(local)
        try:
            yield made
        finally:
            made.flush()
            made.writer.close()
            put(local, target, overwrite=overwrite)
