"""What a data folder holds before anything serves it: tables, ledger, the demonstration's people, collected pages.

Each is made once, and again only when what it is made from has changed. The ledger is checked at every start.
"""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.launch import demonstration, phone
from backend.core.launch.environment import ROOT, DataFolder
from backend.core.launch.options import Options
from backend.core.launch.refusal import StartRefused
from backend.core.launch.steps import Steps
from backend.ledger.errors import LedgerError

WHAT_TO_DO = "docs/operators/running.md, “When the ledger refuses”"


class Stamp:
    """Remembers what something was made from."""

    def __init__(self, folder: DataFolder, name: str, made_from: str) -> None:
        self._file = folder.run / f"{name}.stamp"
        self._made_from = made_from

    @property
    def holds(self) -> bool:
        return self._file.exists() and self._file.read_text() == self._made_from

    def set(self) -> None:
        self._file.write_text(self._made_from)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _tables(folder: DataFolder) -> Stamp:
    """Holds while no migration was added or changed, and the database is one that got them all."""
    migrations = _digest([ROOT / "requirements.txt", *sorted((ROOT / "backend").glob("*/migrations/*.py"))])
    return Stamp(folder, "tables", f"{migrations} {_applied(folder)}")


def _applied(folder: DataFolder) -> str:
    """Which migrations the database has had. A database put back from a copy has had fewer, or none."""
    url = os.environ.get("DATABASE_URL")
    if url:
        return hashlib.sha256(url.encode()).hexdigest()
    if not folder.database.exists():
        return "none"
    try:
        connection = sqlite3.connect(f"{folder.database.as_uri()}?mode=ro", uri=True)
        try:
            return str(connection.execute("SELECT count(*), max(id) FROM django_migrations").fetchone())
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"unreadable: {error}"


def _pages(folder: DataFolder) -> Stamp:
    own = sorted(path for path in (ROOT / "backend").glob("*/static/**/*") if path.is_file())
    collected = folder.static.exists()
    return Stamp(folder, "static", _digest([ROOT / "requirements.txt", phone.STAMP, *own]) if collected else "gone")


def make(steps: Steps, folder: DataFolder, options: Options) -> None:
    """Make what is not there yet, going on where an earlier start was cut short, and check the ledger before anything is served.

    Raises StartRefused where this cannot be, or the ledger is not the one that was begun here.
    """
    import django
    from celery.app.utils import find_app
    from django.db import connections

    with steps.step("载入程序", "Loading"):
        # Named, not imported: nothing imports the composition root. Without it, what is written would wake a default broker.
        find_app("backend.celery:app")
        django.setup()
    _log_into(folder)
    people = Stamp(folder, "people", "demonstration" if options.demo else "own")
    try:
        with _said_in_a_sentence():
            if not (_tables(folder).holds and people.holds):
                _mark(folder, options)
                _migrate(steps)
                _begin(steps, options)
                people.set()
                _tables(folder).set()
            _check(steps)
            _collect(steps, folder)
    finally:
        connections.close_all()


@contextmanager
def _said_in_a_sentence() -> Iterator[None]:
    """Turn what a step of this can fail with, and a person can mend, into StartRefused."""
    from django.core.management import CommandError
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise StartRefused(
            f"数据库无法使用（{str(error).strip()}），请检查 DATABASE_URL 或数据文件夹。",
            f"The database cannot be used ({str(error).strip()}): look at DATABASE_URL, or at the data folder.",
        ) from error
    except (CommandError, LedgerError) as error:
        if not isinstance(error, LedgerError) and not isinstance(error.__cause__, LedgerError):
            raise StartRefused(f"启动前的准备没有完成：{error}", f"The start could not be prepared: {error}") from error
        raise StartRefused(
            f"账本与其密钥、设置或数据库不符，没有启动任何服务（{error}）。处理办法见 {WHAT_TO_DO}。",
            f"The ledger does not fit its keys, its settings or its database, so nothing was started ({error}). "
            f"What to do: {WHAT_TO_DO}.",
        ) from error
    except OSError as error:
        raise StartRefused(
            f"数据文件夹中有文件无法读写（{error}），请检查权限与磁盘空间。",
            f"A file of the data folder cannot be read or written ({error}): look at its permissions, and at the disk.",
        ) from error


def _log_into(folder: DataFolder) -> None:
    """Write this process's own log beside the others', not between the steps on the terminal."""
    log = (folder.logs / "setup.log").open("a", encoding="utf-8", buffering=1)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(log)


def _migrate(steps: Steps) -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        with steps.step("建立数据库", "Preparing the database") as step:
            call_command("migrate", interactive=False, stdout=step)


def _mark(folder: DataFolder, options: Options) -> None:
    """Mark a new demonstration before anything of it is made: a start that is cut short after this finds its own."""
    if options.demo and not folder.is_demonstration:
        if os.environ.get("DATABASE_URL"):
            _refuse_people()
        demonstration.mark(folder)


def _refuse_people() -> None:
    from django.contrib.auth import get_user_model
    from django.db import connection

    person = get_user_model()
    if person._meta.db_table in connection.introspection.table_names() and person.objects.exists():
        raise StartRefused(
            "数据库中已有真实人员，不会写入演示数据：请加 --no-demo。",
            "The database holds people already, so no demonstration is written into it: add --no-demo.",
        )


def _begin(steps: Steps, options: Options) -> None:
    from django.core.management import call_command

    with steps.step("生成密钥与账本", "Making keys and the ledger") as step:
        call_command("ledger", "init", "--if-empty", stdout=step)
    if options.demo:
        with steps.step("写入演示数据", "Seeding the demonstration") as step:
            call_command("seed", demo=True, stdout=step)


def _check(steps: Steps) -> None:
    from django.core.management import call_command

    with steps.step("核对账本", "Checking the ledger") as step:
        call_command("ledger", "check", stdout=step)


def _collect(steps: Steps, folder: DataFolder) -> None:
    from django.core.management import call_command

    if not _pages(folder).holds:
        with steps.step("收集网页文件", "Collecting the pages' files") as step:
            call_command("collectstatic", interactive=False, stdout=step)
        _pages(folder).set()
