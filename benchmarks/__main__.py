"""``python -m benchmarks``: every benchmark in a process of its own, one table."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import database, measures

NAMES = (
    "bulk",
    "live",
    "flatness",
    "contract_batch",
    "backtest",
    "deciding",
    "limits",
    "interactions",
)


def main() -> None:
    """Run what the command line names and print the table."""
    arguments = _arguments()
    if arguments.into is not None:
        _run_here(arguments.only[0], arguments.into, is_tiny=arguments.tiny)
        return

    from benchmarks.machine import facts

    started = time.monotonic()
    for line in facts():
        measures.say(line)
    found = []
    for name in arguments.only or NAMES:
        found += _run_apart(name, is_tiny=arguments.tiny)
    minutes = (time.monotonic() - started) / 60
    print("\n".join(["", *facts()[:2], "", measures.table(found), ""]))
    print(f"Took {minutes:.1f} minutes.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*NAMES, []], help="default: all")
    parser.add_argument(
        "--tiny", action="store_true", help="small enough for a test; measures nothing"
    )
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_apart(name: str, *, is_tiny: bool) -> list[measures.Measure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measures.json"
        command = [sys.executable, "-m", "benchmarks", name, "--into", str(path)]
        subprocess.run([*command, *(["--tiny"] if is_tiny else [])], check=True)
        return measures.load(path)


def _run_here(name: str, path: Path, *, is_tiny: bool) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    database.prepare()
    database.migrate()
    measures.save(module.run(module.TINY if is_tiny else module.FULL), path)


if __name__ == "__main__":
    main()
