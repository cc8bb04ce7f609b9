"""Who may come in and who is working: a bounded number of places in each queue, pictures and videos apart."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from sakuga.serve.errors import RefusedError


class Queue:
    """Places for requests, from before their first byte is read to after the last one is sent.

    One client may have half of them, so that others come in too, and hold them by sending and taking for
    `transfer_seconds` an hour; all of them and for ever where everybody is this machine.
    """

    def __init__(self, name: str, places: int, at_once: int, transfer_seconds: float = 600) -> None:
        self.name, self.places, self.at_once, self.transfer_seconds = name, places, at_once, transfer_seconds
        self.transfers: dict[str, tuple[float, float]] = {}  # seconds that a client has used, and when that was
        self.share = max(1, places // 2)
        self.taken: Counter[str] = Counter()
        self.seconds = 1.0  # that one piece of work has lately taken

    def __len__(self) -> int:
        return self.taken.total()

    def enter(self, client: str) -> None:
        """Take a place. Raises RefusedError: 429 where this client has its share, 503 where all are taken."""
        if len(self) >= self.places:
            raise RefusedError(
                503, "queue_full", f"All {self.places} places for {self.name} are taken.", self.retry_after()
            )
        if not is_here(client) and self.taken[client] >= self.share:
            raise RefusedError(
                429, "too_many", f"You have {self.share} {self.name} being worked on already.", self.retry_after()
            )
        used, left = self._used(client), self.transfer_seconds
        if used > left:
            wait = math.ceil((used - left) * 3600 / left)
            sentence = f"Your files have kept places for {self.name} for too long: send them on a better line."
            raise RefusedError(429, "too_many", sentence, wait)
        self.taken[client] += 1

    def record_transfer(self, client: str, seconds: float) -> None:
        """Remember for how long a client has kept a place by sending a file and taking a result."""
        if is_here(client) or seconds < 1:
            return
        self.transfers[client] = self._used(client) + seconds, time.monotonic()
        self.transfers = {one: known for one, known in self.transfers.items() if self._used(one)}

    def _used(self, client: str) -> float:
        """The seconds that count against a client: `transfer_seconds` of them are forgotten in an hour."""
        used, when = self.transfers.get(client, (0.0, 0.0))
        return max(0.0, used - (time.monotonic() - when) * self.transfer_seconds / 3600)

    def stay(self, client: str) -> None:
        """Take a place for what goes on after the request, which has one."""
        self.taken[client] += 1

    def leave(self, client: str) -> None:
        """Give a place back."""
        self.taken[client] -= 1
        self.taken += Counter()  # forgets those with none

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """A place for as long as the block runs."""
        self.enter(client)
        try:
            yield
        finally:
            self.leave(client)

    def record_duration(self, seconds: float) -> None:
        """Remember how long work takes."""
        self.seconds += (seconds - self.seconds) / 8

    def retry_after(self) -> int:
        """Seconds after which half of those here should be done."""
        return min(max(1, math.ceil(len(self) / 2 * self.seconds / self.at_once)), 60)


def is_here(client: str) -> bool:
    """Whether a client is this machine."""
    try:
        return ip_address(client.partition("%")[0]).is_loopback
    except ValueError:
        return False
