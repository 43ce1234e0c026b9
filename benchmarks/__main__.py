"""`python -m benchmarks [NAME]`: run all benchmarks or the one named, print tables, keep them with --save.

Exit 0: measured, or nothing here to measure on; 1: something failed to run; 2: usage.
"""

import argparse
import sys
from collections.abc import Callable

from benchmarks import attacks, page, real_sets, rounds, start
from benchmarks.running import FailedError
from benchmarks.sets import SetsMissingError

ROUNDS = 5
BENCHES: dict[str, Callable[[int], str]] = {
    "real_sets": real_sets.measure,
    "start": start.measure,
    "attacks": attacks.measure,
    "round": rounds.measure,
}
ROUNDS_OF = {"round": 12}  # here a round is one of a community's, with the history of those before


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure what Kith costs.")
    parser.add_argument("name", nargs="?", choices=BENCHES, help="one benchmark instead of all")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS}, or {ROUNDS_OF}, unless told otherwise")
    parser.add_argument("--save", action="store_true", help="put the figures in docs/measurements.md")
    wanted = parser.parse_args()
    names = [wanted.name] if wanted.name else list(BENCHES)
    return max([run(name, wanted.rounds or ROUNDS_OF.get(name, ROUNDS), save=wanted.save) for name in names])


def run(name: str, rounds: int, *, save: bool) -> int:
    """Run one benchmark and return its exit code."""
    try:
        figures = f"{page.machine(rounds)}\n\n{BENCHES[name](rounds)}"
    except SetsMissingError as reason:
        print(reason)
        return 0
    except FailedError as failure:
        print(f"{name} failed: {failure}", file=sys.stderr)
        return 1
    print(f"## {name}\n\n{figures}\n", flush=True)
    if save:
        page.save(name, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
