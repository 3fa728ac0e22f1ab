"""Clients over real sockets: requests as fast as they are answered, or at a steady rate; and a listener on a WebSocket."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from benchmarks.people import Request
from benchmarks.stage import HOST


class Refused(RuntimeError):
    """The product did not take a request of a measure: the measure says nothing."""


@dataclass
class Answer:
    """What came back, and when (Unix seconds): due to be sent, answered."""

    due: float
    answered: float
    body: dict[str, Any] = field(repr=False)


def _post(connection: http.client.HTTPConnection, request: Request) -> dict[str, Any]:
    connection.request("POST", request.path, request.body, request.headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 201:
        raise Refused(f"{response.status} {body[:500].decode(errors='replace')}")
    return json.loads(body)


def send(port: int, requests: Sequence[Request], *, connections: int, rate: float | None = None) -> list[Answer]:
    """Sends all requests over that many connections. With a rate each has its due time, and lateness counts as waiting."""
    waiting: SimpleQueue[tuple[int, Request]] = SimpleQueue()
    for numbered in enumerate(requests):
        waiting.put(numbered)
    answers: list[Answer] = []
    failures: list[Exception] = []
    start = time.time() + 0.1

    def client() -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        try:
            while not failures:
                number, request = waiting.get_nowait()
                due = start + number / rate if rate else time.time()
                time.sleep(max(0.0, due - time.time()))
                body = _post(connection, request)
                answers.append(Answer(due, time.time(), body))
        except Empty:
            pass
        except (Refused, OSError, http.client.HTTPException) as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers


def per_second(answers: Sequence[Answer]) -> float:
    """Answers a second, from the first request to the last answer."""
    return len(answers) / (max(answer.answered for answer in answers) - min(answer.due for answer in answers))


class Listener:
    """A signed-in WebSocket that notes when each push of one kind arrived, by the id it carries."""

    def __init__(self, port: int, token: str, kind: str, name: str) -> None:
        self.arrived: dict[str, float] = {}
        self._kind, self._name = kind, name
        self._socket = connect(f"ws://{HOST}:{port}/ws/live/", origin=f"http://{HOST}:{port}")  # type: ignore[arg-type]
        self._socket.send(json.dumps({"type": "authenticate", "token": token}))
        if json.loads(self._socket.recv(timeout=10))["type"] != "ready":
            raise Refused("the WebSocket did not let the listener in")
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for text in self._socket:
                now, message = time.time(), json.loads(text)
                if message.get("kind") == self._kind:
                    self.arrived.setdefault(message[self._name], now)
        except ConnectionClosed:
            return

    def wait_for(self, ids: set[str], within: float = 30) -> None:
        """Returns when a push of each has arrived. Raises Refused when some never do."""
        until = time.time() + within
        while ids - self.arrived.keys():
            if time.time() > until:
                raise Refused(f"{len(ids - self.arrived.keys())} of {len(ids)} pushes never came")
            time.sleep(0.05)

    def close(self) -> None:
        self._socket.close()
        self._thread.join()


@contextmanager
def listening(port: int, token: str, kind: str, name: str) -> Iterator[Listener]:
    """A Listener, closed at the end."""
    listener = Listener(port, token, kind, name)
    try:
        yield listener
    finally:
        listener.close()
