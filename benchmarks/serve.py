"""The server under load: 200 clients at once for 30 seconds.

    python benchmarks/serve.py [--clients 200] [--seconds 30] [--photo FILE] [-- OPTIONS OF SAKUGA SERVE]

Starts `sakuga serve` in a process of its own. Each client posts one photo after another to /v1/stylize, on a
connection of its own, and reads the whole answer; when it is refused (429, 503) it comes back after half a second,
whatever Retry-After says. Every request must be answered: one that is not, or with another status than these and 200,
is counted as lost and makes the exit status 1.

Memory is the resident set of the server's process. "Before" is taken after a warm-up of a quarter of the time under
the same load, for the network's memory is set up by the first requests and kept; "after" when all clients have gone
for five seconds. The peak is the highest of ten looks a second.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import psutil

PHOTO = Path(__file__).parents[1] / "examples" / "chelsea.jpg"
REFUSED = {429, 503}


class Load:
    """What became of the requests."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.lost: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.peak = 0


async def one_client(url: str, photo: bytes, until: float, load: Load) -> None:
    async with httpx.AsyncClient(timeout=120) as client:
        while time.monotonic() < until:
            begin = time.monotonic()
            try:
                answer = await client.post(f"{url}/v1/stylize", content=photo, headers={"Content-Type": "image/jpeg"})
            except httpx.HTTPError as error:
                load.lost[type(error).__name__] += 1
                continue
            load.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                load.seconds.append(time.monotonic() - begin)
            elif answer.status_code in REFUSED:
                await asyncio.sleep(0.5)


async def drive(url: str, photo: bytes, clients: int, seconds: float, server: psutil.Process) -> Load:
    load = Load()
    until = time.monotonic() + seconds
    everybody = asyncio.gather(*(one_client(url, photo, until, load) for _ in range(clients)))
    while not everybody.done():
        load.peak = max(load.peak, server.memory_info().rss)
        await asyncio.sleep(0.1)
    await everybody
    return load


def resident(server: psutil.Process) -> int:
    time.sleep(5)
    return int(server.memory_info().rss)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--photo", type=Path, default=PHOTO)
    parser.add_argument("options", nargs="*", help="options of sakuga serve, after --")
    args = parser.parse_args()
    photo = args.photo.read_bytes()
    command = [sys.executable, "-m", "sakuga", "serve", "--port", "0", *args.options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        if not found:
            return 1
        url, server = found[0].replace("localhost", "127.0.0.1"), psutil.Process(process.pid)
        try:
            start = server.memory_info().rss
            asyncio.run(drive(url, photo, args.clients, args.seconds / 4, server))
            before, files = resident(server), server.num_fds()
            begin = time.monotonic()
            load = asyncio.run(drive(url, photo, args.clients, args.seconds, server))
            took = time.monotonic() - begin
            after = resident(server)
            left = server.num_fds() - files
        finally:
            process.terminate()
    mib = 2**20
    lost = sum(load.lost.values()) + sum(n for status, n in load.statuses.items() if status not in {200, *REFUSED})
    asked = sum(load.statuses.values()) + sum(load.lost.values())
    print(
        f"{args.clients} clients for {took:.1f} s, {args.photo.name}: {asked} requests, {lost} lost {dict(load.lost)}"
    )
    print("answers: " + ", ".join(f"{status}: {n}" for status, n in sorted(load.statuses.items())))
    if load.seconds:
        middle, late = np.percentile(load.seconds, [50, 95])
        rate = len(load.seconds) / took
        print(f"painted: {rate:.1f} pictures/s; answered in {middle:.2f} s (median), {late:.2f} s (95 %)")
    print(
        f"resident: {start / mib:.0f} MiB at the start, {before / mib:.0f} before, {load.peak / mib:.0f} at the peak, "
        f"{after / mib:.0f} after ({after / before - 1:+.1%}); {left:+d} open files; exit status {process.returncode}"
    )
    return 1 if lost or after > 1.15 * before else 0


if __name__ == "__main__":
    sys.exit(main())
