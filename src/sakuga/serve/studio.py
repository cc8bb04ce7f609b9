"""What all requests of one server share."""

from dataclasses import dataclass
from pathlib import Path

from sakuga.serve.catalogue import Catalogue
from sakuga.serve.jobs import Jobs
from sakuga.serve.lanes import Lane
from sakuga.serve.limits import Limits
from sakuga.serve.metrics import Metrics
from sakuga.serve.temporary import Folder
from sakuga.serve.work import Painters


@dataclass(frozen=True)
class Studio:
    """What all requests of one server share."""

    limits: Limits
    catalogue: Catalogue
    painters: Painters
    heavy: Painters
    pictures: Lane
    videos: Lane
    jobs: Jobs
    metrics: Metrics
    temporary: Folder

    @property
    def folder(self) -> Path:
        """Where videos lie."""
        return self.temporary.path

    def close(self) -> None:
        """End all work and remove everything on the disk."""
        self.jobs.close()
        self.painters.close()
        self.heavy.close()
        self.temporary.remove()
