"""Does any broken file do worse than be refused? Thousands of mutated files through what users call, and counted.

    python benchmarks/fuzz.py [--count 10000] [--first 0] [--kind png] [--seconds 5] [--mebibytes 3072] [--keep DIR]
    python benchmarks/fuzz.py --replay png:188

Each input is made by the tests' own mutators (tests/fuzz) from its kind and number, given to a process whose address
space and processor time are limited, read, written back and stylised. The only things that may become of it: `done`;
`large`, read within the limit of pixels but too many to paint here; and `refused` in one sentence that names the file.
Everything else is `failed` and ends the run with 1: another exception, a line on standard error, a hang, a crash,
memory beyond the limit, a file left behind, an input changed. What failed is kept in a folder with its reason;
`--replay` runs it again. The suite runs the first 2,000.
"""

import argparse
import platform
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fuzz"))
import campaign
from runner import MEBIBYTES, Result, run

OUTCOMES = ("done", "large", "refused", "failed")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input of each kind")
    parser.add_argument("--kind", choices=[*campaign.SHARES], help="only this kind")
    parser.add_argument("--seconds", type=float, default=5, help="of processor time for each input")
    parser.add_argument("--mebibytes", type=int, default=MEBIBYTES, help="of address space")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="where failing inputs go")
    parser.add_argument("--replay", metavar="KIND:NUMBER", help="run one input again and print its result")
    return parser.parse_args()


def table(results: list[Result], seconds: float) -> str:
    """Outcomes by kind, in Markdown; the slowest input and the largest peak of memory of each."""
    lines = [f"| kind | inputs | {' | '.join(OUTCOMES)} | slowest, s | peak, MiB |", "|---" + "|---:" * 7 + "|"]
    for kind in [*campaign.SHARES, "all"]:
        mine = [result for result in results if kind in (result.case.kind, "all")]
        if not mine:
            continue
        counts = Counter(result.outcome for result in mine)
        cells = [len(mine), *(counts[outcome] for outcome in OUTCOMES)]
        worst = f"{max(result.seconds for result in mine):.1f} | {max(result.mebibytes for result in mine)}"
        lines.append(f"| {kind} | {' | '.join(f'{cell:,}' for cell in cells)} | {worst} |")
    speed = f"{len(results)} inputs in {seconds:.0f} s on {platform.machine()}, Python {platform.python_version()}"
    return "\n".join([*lines, "", speed])


def main() -> int:
    chosen = options()
    if chosen.replay:
        kind, number = chosen.replay.split(":")
        inputs = iter([campaign.case(kind, int(number))])
    else:
        inputs = campaign.cases(chosen.count, chosen.first, chosen.kind)
    began, results = time.monotonic(), []
    for result in run(inputs, keep=chosen.keep, seconds=chosen.seconds, mebibytes=chosen.mebibytes):
        results.append(result)
        if result.outcome == "failed" or chosen.replay:
            print(f"{result.case.name}: {result.outcome}: {result.reason}", flush=True)
        if len(results) % 500 == 0:
            print(f"{len(results)} inputs, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(results, time.monotonic() - began))
    return int(any(result.outcome == "failed" for result in results))


if __name__ == "__main__":
    sys.exit(main())
