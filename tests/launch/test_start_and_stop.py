"""`manage.py up` with real children: what a person sees, and what is left when it ends, however it ends."""

import json
import os
import re
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.launch.conftest import Up, processes_of, run_manage, wait_until_gone

Start = Callable[..., Up]
pytestmark = pytest.mark.timeout(300)


def fetch(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.status, response.read().decode()


def test_a_start_ends_with_a_card_whose_every_link_opens(running: Up) -> None:
    links = re.findall(r"http://127\.0\.0\.1:\d+/\S+", running.text)
    shown = {link.partition(f":{running.port}")[2] for link in links}
    assert shown >= {
        "/m/?handset=chen-li",
        "/m/?handset=su-qing",
        "/m/?handset=ma-ye",
        "/demo/console?as=wen-ning",
        "/demo/console?as=he-chuan",
    }
    for link in links:
        assert fetch(link)[0] == 200, link
    assert fetch(f"http://127.0.0.1:{running.port}/healthz")[0] == 200


def test_the_tour_is_told_in_order(running: Up) -> None:
    places = [running.text.index(word) for word in ("签收 Sign", "上链 On chain", "预警 Warning", "为什么 Why")]
    assert places == sorted(places)


def test_a_second_start_makes_nothing_again(running: Up) -> None:
    assert re.findall(r"✓ (\S+)", running.text) == ["载入程序", "核对账本", "启动服务"]


def test_a_second_start_on_the_same_folder_is_told_where_the_first_is(running: Up) -> None:
    second = run_manage("up", "--port", "8001", data_dir=running.data_dir)

    assert second.returncode == 1
    assert f"is running already at http://127.0.0.1:{running.port}" in second.stderr
    assert "已在运行" in second.stderr
    assert "Traceback" not in second.stderr
    assert running.process.poll() is None


def test_an_interruption_stops_everything_and_is_no_failure(up: Start, demonstration: Path) -> None:
    started = up(demonstration).wait_until_started()
    assert len(started.children()) >= 4

    assert started.interrupt() == 0
    assert processes_of(demonstration) == {}
    assert "Traceback" not in started.text


def test_a_polite_end_from_a_service_manager_stops_everything_too(up: Start, demonstration: Path) -> None:
    started = up(demonstration).wait_until_started()

    started.process.send_signal(signal.SIGTERM)

    assert started.process.wait(30) == 0
    assert processes_of(demonstration) == {}


def test_a_killed_parent_leaves_no_orphan_and_the_next_start_works(up: Start, demonstration: Path) -> None:
    started = up(demonstration).wait_until_started()
    commands = " ".join(started.children().values())
    assert all(part in commands for part in ("valkey", "launch.worker", "launch.web", "wechat_simulator"))

    started.process.kill()
    started.process.wait()

    wait_until_gone(demonstration)
    assert up(demonstration).wait_until_started().interrupt() == 0


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("launch.worker", "worker (celery)"),
        ("launch.web", "web server (uvicorn)"),
        ("valkey-server", "broker (valkey)"),
        ("wechat_simulator", "WeChat simulator"),
    ],
)
def test_a_crashed_child_is_named_and_everything_stops(up: Start, demonstration: Path, part: str, name: str) -> None:
    for log in (demonstration / "logs").iterdir():
        log.write_text("a line of an earlier start\n")
    started = up(demonstration).wait_until_started()

    os.kill(started.pid_of(part), signal.SIGKILL)

    assert started.process.wait(30) == 1
    assert f"The {name} stopped unexpectedly (signal SIGKILL)" in started.text
    assert processes_of(demonstration) == {}
    log = Path(started.text.rpartition("Its log: ")[2].strip())
    shown = log.read_text().splitlines()[1:][-20:]
    assert "\n".join(shown) in started.text
    assert "a line of an earlier start" not in started.text


def test_logs_are_structured_and_hold_no_secret(running: Up) -> None:
    folder = running.data_dir
    fetch(f"http://127.0.0.1:{running.port}/healthz")

    for name in ("web.log", "worker.log"):
        lines = [line for line in (folder / "logs" / name).read_text().splitlines() if line.startswith("{")]
        assert lines, name
        assert all({"event", "level", "timestamp"} <= json.loads(line).keys() for line in lines), name
    everything = running.text + "".join(log.read_text() for log in (folder / "logs").iterdir())
    secrets = [key.read_text().strip() for key in (folder / "keys").rglob("*") if _is_text(key)]
    passwords = [user["password"] for user in json.loads((folder / "demo.json").read_text())["console"]]
    assert secrets
    assert passwords
    assert not [secret for secret in secrets + passwords if secret in everything]


def _is_text(file: Path) -> bool:
    try:
        return file.is_file() and len(file.read_text().strip()) > 20
    except UnicodeDecodeError:
        return False


def test_a_taken_port_is_one_sentence_and_starts_nothing(demonstration: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        refused = run_manage("up", "--port", str(port), data_dir=demonstration)

    assert refused.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in refused.stderr
    assert f"端口 {port}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert processes_of(demonstration) == {}


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", "８０００"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    refused = run_manage("up", "--port", port, data_dir=tmp_path / "var")

    assert refused.returncode == 2
    assert "1 to 65535" in refused.stderr
    assert not (tmp_path / "var").exists()


def test_an_own_start_has_no_made_up_people(up: Start, tmp_path: Path) -> None:
    started = up(tmp_path / "var", "--no-demo").wait_until_started()

    assert "handset=" not in started.text
    assert "createsuperuser" in started.text
    assert not [command for command in started.children().values() if "wechat_simulator" in command]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(f"http://127.0.0.1:{started.port}/demo/console?as=wen-ning")
    assert started.interrupt() == 0
    people = run_manage(
        "shell", "-c", "from django.contrib.auth import get_user_model as m; print('people', m().objects.count())",
        data_dir=tmp_path / "var",
    )  # fmt: skip
    assert "people 0" in people.stdout
