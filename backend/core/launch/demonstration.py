"""The demonstration is marked as one: only what bears the mark is seeded with made-up people, and only that may be deleted."""

import os
import shutil
import subprocess
import sys

from backend.core.launch.environment import ROOT, DataFolder
from backend.core.launch.options import Options
from backend.core.launch.refusal import StartRefused
from backend.ledger import durable

COUNT_TABLES = "from django.db import connection; print(len(connection.introspection.table_names()))"
MARK = "This folder holds a demonstration: everything in it was made up. 本文件夹为演示数据。\n"


def refuse_to_mix(folder: DataFolder, options: Options) -> None:
    """Raise StartRefused where made-up and real data would meet in one folder."""
    if options.reset_demo:
        _refuse_to_delete(folder, options)
    elif options.demo and folder.is_in_use and not folder.is_demonstration:
        raise StartRefused(
            f"{folder.path} 存放的不是演示数据：请加 --no-demo，或用 --data-dir 为演示另选文件夹。",
            f"{folder.path} holds data that is no demonstration: add --no-demo, or name another --data-dir for it.",
        )
    elif not options.demo and folder.is_demonstration:
        raise StartRefused(
            f"{folder.path} 存放的是演示数据：请用 --data-dir 为正式数据另选文件夹。",
            f"{folder.path} holds the demonstration: name another --data-dir for data of your own.",
        )


def _refuse_to_delete(folder: DataFolder, options: Options) -> None:
    if not options.demo:
        raise StartRefused("--reset-demo 与 --no-demo 不能同用。", "--reset-demo and --no-demo contradict each other.")
    if not folder.is_demonstration:
        raise StartRefused(
            f"{folder.path} 没有演示标记，--reset-demo 不会删除其中任何内容。",
            f"{folder.path} is not marked as a demonstration: --reset-demo deletes nothing there.",
        )
    if os.environ.get("DATABASE_URL") and _tables_elsewhere(folder):
        raise StartRefused(
            "演示数据库不在数据文件夹内（DATABASE_URL）：请先自行删除其中所有的表，--reset-demo 不会动它。",
            "The database lies outside the data folder (DATABASE_URL): first drop all its tables yourself, "
            "--reset-demo leaves it alone.",
        )


def _tables_elsewhere(folder: DataFolder) -> int:
    """How many tables the database of DATABASE_URL holds. Raises StartRefused where it cannot be asked.

    Another process asks: this one is to read its settings after the deletion, for they make a key in the folder.
    """
    asked = subprocess.run(
        [sys.executable, "-c", COUNT_TABLES],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(folder.path)},
        capture_output=True,
        text=True,
    )
    if asked.returncode != 0:
        reason = (asked.stderr.strip().splitlines() or [""])[-1]
        raise StartRefused(
            f"数据库无法使用（{reason}），请检查 DATABASE_URL。",
            f"The database cannot be used ({reason}): look at DATABASE_URL.",
        )
    return int(asked.stdout)


def mark(folder: DataFolder) -> None:
    """Mark the folder as a demonstration, for good, before anything made-up is written there."""
    durable.write_all(folder.path, {folder.demonstration_mark.name: MARK.encode()})


def delete(folder: DataFolder) -> None:
    """Delete the demonstration's database, files, uploads, keys, ledger and pages, and nothing that a start did not make.

    The mark goes last, so that an interrupted deletion can be repeated.
    """
    for file in folder.database_files:
        file.unlink(missing_ok=True)
    (folder.path / "demo.json").unlink(missing_ok=True)
    for made in (folder.files, folder.uploads, folder.ledger, folder.keys, folder.static):
        if made.exists():
            shutil.rmtree(made)
    for stamp in folder.run.glob("*.stamp"):
        stamp.unlink()
    folder.demonstration_mark.unlink()
