"""python -m benchmarks [signing] [chain] [warning]: measures the running product and prints a table.

Each run starts servers of its own (Valkey, the worker, the web server) on loopback, on a data folder that is deleted afterwards.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import django
from rich.console import Console
from rich.table import Table

from backend.core.launch.environment import DataFolder, valkey_url


def main() -> int:
    """0 when every target was met, 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "measures", nargs="*", metavar="signing|chain|warning", help="what to measure; all without a name"
    )
    parser.add_argument("--database", help="URL of an empty PostgreSQL database, instead of SQLite")
    parser.add_argument("--connections", type=int, default=4, help="clients that sign at the same time (default 4)")
    parser.add_argument(
        "--seconds", type=int, default=30, help="how long receipts are signed at a steady rate (default 30)"
    )
    parser.add_argument(
        "--rate", type=int, default=20, help="receipts a second of `chain` (default 20, which the targets are for)"
    )
    options = parser.parse_args()
    unknown = set(options.measures) - {"signing", "chain", "warning"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")

    folder = Path(tempfile.mkdtemp(prefix="yirong-benchmarks-"))
    os.environ |= {
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "LOG_LEVEL": "WARNING",
        "DEMO": "false",
    }
    os.environ |= {
        "REDIS_URL": valkey_url(DataFolder(folder)),
        "DATABASE_URL": options.database or f"sqlite:///{folder}/yirong.sqlite3",
    }
    django.setup()
    try:
        return _measure(options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(options: argparse.Namespace) -> int:
    from benchmarks import measures
    from benchmarks.stage import stage

    chosen = options.measures or ["signing", "chain", "warning"]
    console = Console(width=None if sys.stdout.isatty() else 110)
    table = Table(title="翼融链 Yirong Chain", caption=_machine(options), caption_justify="left")
    for column, justify in (("Measure", "left"), ("Measured", "right"), ("Target", "right"), ("Met", "center")):
        table.add_column(column, justify=justify)
    missed = 0
    with stage(console) as running:
        for name in chosen:
            for row in getattr(measures, name)(running, options):
                missed += row.met is False
                table.add_row(
                    row.measure, row.measured, row.target, {True: "yes", False: "[red]no[/]", None: ""}[row.met]
                )
            table.add_section()
    console.print(table)
    return 1 if missed else 0


def _machine(options: argparse.Namespace) -> str:
    database = "PostgreSQL" if options.database else "SQLite, WAL, synchronous=FULL"
    busy = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {database}, one web process, "
        f"worker -c 2; the machine's load before the run {busy:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
