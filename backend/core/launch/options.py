"""What `up` can be asked for."""

import argparse
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8000


@dataclass(frozen=True)
class Options:
    """What this start was asked for."""

    port: int = DEFAULT_PORT
    host: str = "127.0.0.1"
    data_dir: str | None = None
    demo: bool = True
    reset_demo: bool = False

    @property
    def data_path(self) -> Path | None:
        return Path(self.data_dir).expanduser() if self.data_dir else None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(
            f"端口应为 1 至 65535 的整数，而不是 {text!r} (a port is a whole number from 1 to 65535)"
        )
    return int(text)


def read_options(arguments: list[str]) -> Options:
    """Read the arguments of `up`. Ends the process with what is wrong about them, or with the help that was asked for."""
    parser = argparse.ArgumentParser(
        prog="manage.py up",
        description="启动全部服务，直到按 Ctrl-C。 Start everything and watch it until Ctrl-C.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="网页端口 the port to serve (default: %(default)s)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 the address to serve (default: %(default)s)")
    parser.add_argument("--data-dir", help="数据文件夹 where all state lies (default: var/, or DATA_DIR)")
    parser.add_argument(
        "--no-demo", dest="demo", action="store_false", help="不带演示数据 start empty, without the demonstration"
    )
    parser.add_argument(
        "--reset-demo",
        action="store_true",
        help="删除演示数据后重新开始 delete the demonstration's data and start it anew",
    )
    return Options(**vars(parser.parse_args(arguments)))
