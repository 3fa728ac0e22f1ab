"""One data folder: where its keys, database, files, logs and sockets lie, and which environment variables follow from it.

All state of a running product lies below `DATA_DIR`. The one exception is a Unix socket whose path would be too long for the kernel;
it then lies in a private folder of the user's own, named after the data folder.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from backend.core.launch.refusal import StartRefused

ROOT = Path(__file__).resolve().parents[3]
# The kernel allows 107 bytes; servers and clients append to it while they bind.
LONGEST_SOCKET_PATH = 100
# What the group and others may do with a path.
OTHERS = 0o077
OTHERS_READ_OR_WRITE = 0o066


class DataFolder:
    """The layout below `DATA_DIR`, and what it is: a demonstration, or somebody's own data."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.keys = self.path / "keys"
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.database = self.path / "yirong.sqlite3"
        self.ledger = self.path / "ledger"
        self.files = self.path / "files"
        self.uploads = self.path / "uploads"
        self.static = self.path / "static"
        self.demonstration_mark = self.path / "demonstration"
        self.lock = self.run / "up.lock"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "DataFolder":
        return cls(Path(environ.get("DATA_DIR") or ROOT / "var"))

    @property
    def database_files(self) -> list[Path]:
        """The SQLite database, and what SQLite keeps beside it, whether there or not."""
        return [
            self.database,
            *(self.database.with_name(self.database.name + end) for end in ("-wal", "-shm", "-journal")),
        ]

    @property
    def is_demonstration(self) -> bool:
        return self.demonstration_mark.exists()

    @property
    def is_in_use(self) -> bool:
        """Whether a start has kept records here."""
        return self.database.exists() or self.ledger.exists()

    def make(self) -> None:
        """Make the folders, the owner's alone, and close to others what an earlier start or another hand left open.

        Raises StartRefused where the folder cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in self._private_folders:
                folder.mkdir(mode=0o700, exist_ok=True)
            for path, forbidden in self._open_to_others():
                if _is_ours_to_close(path):
                    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~forbidden)
            # Root may write where the mode forbids, and nobody may write on a read-only disk: only trying tells.
            tempfile.TemporaryFile(dir=self.run).close()
        except OSError as error:
            raise StartRefused(
                f"数据文件夹 {self.path} 不可写（{error.strerror}），请用 --data-dir 指定一个可写的文件夹。",
                f"The data folder {self.path} cannot be written ({error.strerror}): name another with --data-dir.",
            ) from None

    @property
    def open_to_others(self) -> list[Path]:
        """What others can read here although it is private: it belongs to somebody else, or the disk knows no modes."""
        return [path for path, _ in self._open_to_others()]

    @property
    def _private_folders(self) -> tuple[Path, ...]:
        return self.keys, self.logs, self.run, self.files, self.uploads

    def _open_to_others(self) -> Iterator[tuple[Path, int]]:
        """Each private path that is there and open, with what others must not be able to do.

        Through the folder itself they may pass: then a web server of another user can serve the published ledger in it.
        """
        private = dict.fromkeys((*self._private_folders, *self.database_files), OTHERS)
        for path, forbidden in {self.path: OTHERS_READ_OR_WRITE, **private}.items():
            if path.exists() and path.stat().st_mode & forbidden:
                yield path, forbidden

    def socket(self, name: str) -> Path:
        """Where a Unix socket of this folder lies: below `run`, or in a private folder with a short name.

        Raises StartRefused where that private folder belongs to somebody else.
        """
        path = self.run / name
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108 - checked below
            short = Path(parent or "/nonexistent") / f"yirong-{os.geteuid()}-{digest}"
            if len(os.fsencode(short / name)) <= LONGEST_SOCKET_PATH and os.access(short.parent, os.W_OK):
                return _private(short) / name
        raise StartRefused(
            f"数据文件夹的路径太长（{self.path}），请用 --data-dir 指定较短的路径。",
            f"The data folder's path is too long for a socket ({self.path}): name a shorter one with --data-dir.",
        )


def _is_ours_to_close(path: Path) -> bool:
    """Whether it belongs to this user, and is no folder that everybody shares, as /tmp is."""
    found = path.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StartRefused(
            f"{folder} 不是您私有的文件夹，请删除它，或用 --data-dir 指定较短的路径。",
            f"{folder} is not private to you: remove it, or name a shorter data folder with --data-dir.",
        )
    return folder


def adopt() -> None:
    """Put into the environment what a data folder that was started before implies, without making anything.

    So `manage.py ledger verify` or `shell` means the same demonstration and the same broker as the running product.
    What the environment says already is kept.
    """
    folder = DataFolder.of(os.environ)
    if folder.is_in_use:
        os.environ.setdefault("DEMO", "true" if folder.is_demonstration else "false")
        os.environ.setdefault("REDIS_URL", valkey_url(folder))


def valkey_url(folder: DataFolder) -> str:
    """The broker of this folder, as `REDIS_URL` names it."""
    return f"unix://{folder.socket('valkey.sock')}"
