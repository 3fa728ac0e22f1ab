"""What a data folder holds before anything serves it: tables, ledger, the demonstration's people, collected pages.

Each is made once, and again only when what it is made from has changed. The database is asked which migrations it has had, for it may be
another one than at the last start; the ledger is checked at every start.
"""

import hashlib
import logging
import os
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
        with _said_in_a_sentence(folder):
            _mark(folder, options)
            if _migrate(steps, folder) or not people.holds:
                _begin(steps, options)
                people.set()
            _check(steps)
            _collect(steps, folder)
    finally:
        connections.close_all()


@contextmanager
def _said_in_a_sentence(folder: DataFolder) -> Iterator[None]:
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
        chinese, english = _begin_anew(folder)
        raise StartRefused(
            f"账本与其密钥、设置或数据库不符，没有启动任何服务（{error}）。处理办法见 {WHAT_TO_DO}。{chinese}",
            f"The ledger does not fit its keys, its settings or its database, so nothing was started ({error}). "
            f"What to do: {WHAT_TO_DO}.{english}",
        ) from error
    except OSError as error:
        raise StartRefused(
            f"数据文件夹中有文件无法读写（{error}），请检查权限与磁盘空间。",
            f"A file of the data folder cannot be read or written ({error}): look at its permissions, and at the disk.",
        ) from error


def _begin_anew(folder: DataFolder) -> tuple[str, str]:
    """What else a demonstration can do that does not find its own data."""
    anew = ("演示可用 --reset-demo 重新开始。", " --reset-demo begins a demonstration anew.")
    return anew if folder.is_demonstration else ("", "")


def _log_into(folder: DataFolder) -> None:
    """Write this process's own log beside the others', not between the steps on the terminal."""
    log = (folder.logs / "setup.log").open("a", encoding="utf-8", buffering=1)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(log)


def _migrate(steps: Steps, folder: DataFolder) -> bool:
    """Bring the database to the present tables; whether anything was to do.

    Raises StartRefused for an empty database beside the keys of a ledger that was begun with another.
    """
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    if not executor.loader.applied_migrations and (folder.keys / "ledger-supply").exists():
        chinese, english = _begin_anew(folder)
        raise StartRefused(
            f"数据库是空的，而 {folder.path} 中有另一个数据库的账本：请检查 DATABASE_URL，或恢复备份。{chinese}",
            f"The database is empty, but {folder.path} holds the ledger of another: look at DATABASE_URL, or restore a backup.{english}",
        )
    with steps.step("建立数据库", "Preparing the database") as step:
        call_command("migrate", interactive=False, stdout=step)
    return True


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
