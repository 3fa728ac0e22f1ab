"""`manage.py up`, in order: what is asked for, what is made once, what is started, what is shown, how it ends."""

import fcntl
import os
import signal
import socket
import sys
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from backend.core.launch import card, data, demonstration, phone, valkey, web, worker
from backend.core.launch.children import Child, Children
from backend.core.launch.environment import ROOT, DataFolder, valkey_url
from backend.core.launch.options import Options, read_options
from backend.core.launch.refusal import StartRefused
from backend.core.launch.steps import Steps

# Kept open, and so locked, for as long as the process lives.
_held_lock: TextIO | None = None


def up(arguments: list[str]) -> int:
    """Run the product until it is interrupted, and return the exit code of that."""
    options = read_options(arguments)
    if options.data_path:
        os.environ["DATA_DIR"] = str(options.data_path.resolve())
    folder = DataFolder.of(os.environ)
    try:
        folder.make()
        _take(folder, card.address(options))
        demonstration.refuse_to_mix(folder, options)
        _refuse_taken_port(options)
        if options.reset_demo:
            demonstration.delete(folder)
            folder.make()
        # Every process of this start, this one included, reads its settings from here.
        os.environ["DATA_DIR"] = str(folder.path)
        os.environ["DEMO"] = "true" if options.demo else "false"
        os.environ.setdefault("REDIS_URL", valkey_url(folder))
    except StartRefused as refusal:
        print(f"\n{refusal}", file=sys.stderr)  # noqa: T201
        return 1
    return run(options, folder)


def _take(folder: DataFolder, address: str) -> None:
    """Hold the folder for this process alone. The kernel lets go of it when the process ends, however it ends."""
    global _held_lock
    lock = folder.lock.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        running = lock.read().strip() or "?"
        raise StartRefused(
            f"数据文件夹 {folder.path} 已在运行：{running}。请打开它，或用 --data-dir 另选文件夹。",
            f"The data folder {folder.path} is running already at {running}: open that, or name another --data-dir.",
        ) from None
    lock.truncate(0)
    lock.write(address)
    lock.flush()
    _held_lock = lock


def _refuse_taken_port(options: Options) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise StartRefused(
            f"无法使用 {options.host} 的端口 {options.port}（{error.strerror}），请用 --port 另选一个。",
            f"Port {options.port} of {options.host} cannot be used ({error.strerror}): choose another with --port.",
        ) from None


def run(options: Options, folder: DataFolder) -> int:
    """Make, build, start and watch everything in a folder that is held. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    _name_what_others_can_read(console, folder)
    steps = Steps(console, folder.logs / "setup.log")
    children = Children()
    refusal = None
    try:
        phone.build_pages(steps)
        _start_broker(children, folder)
        data.make(steps, folder, options)
        _start_product(steps, children, folder, options)
        card.show(console, options, folder)
        children.watch()
    except KeyboardInterrupt:
        console.print("\n正在停止…… Stopping…")
    except StartRefused as reason:
        refusal = reason
    finally:
        children.stop()
    if refusal:
        print(f"\n{refusal}", file=sys.stderr)  # noqa: T201
        return 1
    console.print("已停止。 Stopped.")
    return 0


def _name_what_others_can_read(console: Console, folder: DataFolder) -> None:
    for path in folder.open_to_others:
        console.print(f"[yellow]![/] 他人可以读取 Others can read {escape(str(path))}", soft_wrap=True)


def _start_broker(children: Children, folder: DataFolder) -> None:
    """Start Valkey and wait for it, unless `REDIS_URL` names a server of one's own, or one answers here already."""
    path = folder.socket("valkey.sock")
    if os.environ["REDIS_URL"] != valkey_url(folder) or valkey.keeps_answering(path):
        return
    broker = Child(
        ("消息服务", "broker (valkey)"),
        valkey.command(folder),
        folder.logs / "valkey.log",
        cwd=ROOT,
        ready=lambda: valkey.answers(path),
    )
    children.add(broker)
    children.wait_until_ready(broker)


def _start_product(steps: Steps, children: Children, folder: DataFolder, options: Options) -> None:
    python = [sys.executable, "-u", "-m"]
    environ = dict(os.environ)
    with steps.step("启动服务", "Starting the services"):
        waiting = []
        if options.demo and not environ.get("WECHAT_APPID"):
            port = _free_port()
            environ["WECHAT_BASE_URL"] = f"http://127.0.0.1:{port}"
            simulator = Child(
                ("微信模拟器", "WeChat simulator"),
                [*python, "backend.parties.wechat_simulator", "--port", str(port)],
                folder.logs / "wechat-simulator.log",
                cwd=ROOT,
                environ=environ,
                ready=lambda: _listens(port),
            )
            waiting.append(children.add(simulator))
        mark = worker.ready_mark(folder.run)
        mark.unlink(missing_ok=True)
        product = [
            Child(
                ("后台任务", "worker (celery)"),
                [*python, worker.__name__, str(folder.run)],
                folder.logs / "worker.log",
                cwd=ROOT,
                environ=environ,
                ready=mark.exists,
                patience=10,
            ),
            Child(
                ("网页服务", "web server (uvicorn)"),
                [*python, web.__name__, options.host, str(options.port)],
                folder.logs / "web.log",
                cwd=ROOT,
                environ=environ,
                ready=lambda: web.answers(card.reachable_host(options), options.port),
                patience=web.SECONDS_TO_CLOSE + 3,
            ),
        ]
        waiting.extend(children.add(child) for child in product)
        children.wait_until_ready(*waiting)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
