import asyncio
import logging
import socket
import time
from pathlib import Path

import pytest
from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from backend.core import broker, push, tasks
from backend.core import wake as wake_module
from backend.core.ids import new_id
from backend.core.launch.environment import DataFolder
from backend.core.wake import WOKEN_SECONDS, advanced, advancing, wake
from tests.stack import Product

NO_BROKER = "redis+socket:///nonexistent/valkey.sock?virtual_host=0"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_silent_until", 0.0)
    cache.clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were given to the broker."""
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: names.append(name))
    return names


def test_a_thousand_wake_ups_are_one_task_until_a_worker_has_looked(sent: list[str]) -> None:
    for _ in range(1000):
        wake()
    assert sent == ["core.advance"]
    advanced()
    wake()
    assert len(sent) == 2


@pytest.mark.django_db
def test_one_advances_at_a_time_and_looks_again_after_it_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def look(name: str) -> int:
        if not looks:
            looks.append(name)
            tasks.advance()  # another worker, meanwhile: it leaves at once
        else:
            looks.append(name)
        return 0

    monkeypatch.setattr(tasks.events, "number_waiting", lambda: look("numbered"))
    left = [True, False]
    monkeypatch.setattr(tasks.events, "waiting", lambda: left.pop(0))
    tasks.advance()
    assert looks == ["numbered", "numbered"], "the second look is for what was committed while the other was sent away"
    assert left == []


@pytest.mark.django_db
def test_a_lost_broker_holds_up_nobody_who_advances(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> bool:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(wake_module.cache, "add", lost)
    assert advancing() is True


@pytest.mark.django_db
def test_what_is_committed_while_a_worker_looks_is_its_own_to_find_and_what_comes_after_asks_again(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wake()
    looks: list[int] = []

    def look_while_another_commits() -> int:
        wake()
        looks.append(len(sent))
        return 0

    def last_look_while_another_commits() -> bool:
        again = len(looks) == 1
        if not again:
            wake()
        return again

    monkeypatch.setattr(tasks.events, "number_waiting", look_while_another_commits)
    monkeypatch.setattr(tasks.events, "waiting", last_look_while_another_commits)
    tasks.advance()
    assert looks[0] == 1, "while it looks nobody else is asked"
    assert len(looks) == 2, "it looks again for what was committed meanwhile"
    assert len(sent) == 3, "once it has let go each commit asks, for it may have looked already"


@pytest.mark.parametrize("error", [OperationalError("gone"), ConnectionRefusedError(), RedisConnectionError("gone")])
def test_a_lost_broker_is_logged_and_never_raised(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(current_app, "send_task", lose)
    with caplog.at_level(logging.WARNING):
        wake()
    assert "broker lost" in caplog.text and type(error).__name__ in caplog.text


def test_what_is_not_the_brokers_fault_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistake() -> None:
        raise TypeError("a mistake of ours")

    with pytest.raises(TypeError):
        broker.ask("anything", mistake)


class LostLayer:
    """A channel layer whose broker is gone, or says nothing."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def group_send(self, group: str, message: object) -> None:
        if self.error:
            raise self.error
        await asyncio.sleep(60)


@pytest.mark.parametrize("error", [RedisConnectionError("gone"), ConnectionRefusedError()])
def test_a_push_without_a_broker_is_logged_and_never_raised(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(push, "get_channel_layer", lambda: LostLayer(error))
    with caplog.at_level(logging.WARNING):
        push.send_now([push.Push((new_id(),), "order.changed")])
    assert "broker lost" in caplog.text and "push order.changed" in caplog.text


def test_a_silent_broker_is_waited_for_once_and_then_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(push, "get_channel_layer", lambda: LostLayer(None))
    before = time.monotonic()
    for _ in range(20):
        push.send_now([push.Push((new_id(), new_id()), "order.changed")])
    assert time.monotonic() - before < 0.5
    monkeypatch.setattr(broker, "_silent_until", 0.0)
    assert broker.ask("again", lambda: None) is True


@pytest.mark.parametrize("address", [NO_BROKER, "redis://127.0.0.1:{port}/0"], ids=["no socket", "nobody listens"])
def test_the_real_client_gives_up_within_fifty_milliseconds(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.settings import CELERY_BROKER_TRANSPORT_OPTIONS

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = current_app._get_current_object()
    with app.connection_for_write(address.format(port=port), transport_options=CELERY_BROKER_TRANSPORT_OPTIONS) as lost:

        def send() -> None:
            app.send_task("core.advance", ignore_result=True, retry=False, connection=lost)

        assert broker.ask("first", send) is False  # loads what it needs
        took = []
        for _ in range(5):
            before = time.monotonic()
            assert broker.ask("again", send) is False
            took.append(time.monotonic() - before)
        assert min(took) < 0.05, took  # a busy machine may hold up some of them, a retry holds up all


BURST = """
import time, django, backend.celery
django.setup()
from backend.core.wake import wake
wake()
before = time.monotonic()
for _ in range(999):
    wake()
print(time.monotonic() - before)
"""


def test_a_burst_of_a_thousand_wake_ups_queues_one_task_at_a_real_broker(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.make()
    product = Product(folder, None)
    try:
        product.start_broker()
        took = float(product.python("-c", BURST))
        queued = Redis(unix_socket_path=str(folder.socket("valkey.sock"))).llen("default")
    finally:
        product.stop()
    assert 1 <= queued <= 1 + took / WOKEN_SECONDS, f"{queued} tasks in {took:.1f} s"
    assert took < 5, "a thousand commits in a row are hardly slower for it"
