"""Django's SQLite, with a file that is its owner's alone and connections that outlive a request.

An ASGI server runs each request in a thread of its own, so the connections that Django keeps a thread are never used again: each request
would open the file, read its schema and compile every statement anew, which takes longer than running them. PostgreSQL has its pool for this.
"""

import os
import threading
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base

_kept: list[Any] = []
_lock = threading.Lock()
_limit = 0


def keep_connections(limit: int) -> None:
    """From now on this process keeps up to `limit` closed connections for whoever connects next.

    For the web server alone: SQLite's connections must not be carried over a fork, which Celery's worker does.
    """
    global _limit
    _limit = limit


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        with _lock:
            if _kept:
                return _kept.pop()
            if not self.is_in_memory_db():
                _make_private(conn_params["database"])
        return super().get_new_connection(conn_params)

    def _close(self) -> None:
        """Keeps a connection in whose transaction nothing is pending and nothing failed; closes every other."""
        if self.connection and not self.connection.in_transaction and not self.errors_occurred:
            with _lock:
                if len(_kept) < _limit:
                    _kept.append(self.connection)
                    return
        super()._close()  # type: ignore[misc] # the stubs do not know it


def _make_private(path: str) -> None:
    """Makes a database that is not there readable by this user alone; SQLite gives the files beside it the same mode.

    One that is there is left alone: closing a file drops the locks that the process holds on it.
    """
    if not os.path.exists(path):
        with suppress(OSError):  # another process was first, or there is no such folder, as SQLite will say
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
