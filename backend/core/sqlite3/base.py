"""Django's SQLite, with connections that outlive a request.

An ASGI server runs each request in a thread of its own, so the connections that Django keeps a thread are never used again: each request
would open the file, read its schema and compile every statement anew, which takes longer than running them. PostgreSQL has its pool for this.
"""

import threading
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
        return super().get_new_connection(conn_params)

    def _close(self) -> None:
        """Keeps a connection in whose transaction nothing is pending and nothing failed; closes every other."""
        if self.connection and not self.connection.in_transaction and not self.errors_occurred:
            with _lock:
                if len(_kept) < _limit:
                    _kept.append(self.connection)
                    return
        super()._close()  # type: ignore[misc] # the stubs do not know it
