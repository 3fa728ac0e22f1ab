import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from backend.core import metrics
from backend.core.events import number_waiting
from backend.core.middleware import BODY_LIMIT, POLICY
from backend.core.models import FailedEvent
from tests.cast import make_cast
from tests.core.conftest import Recorder, record
from tests.stack import Product, wait_until

pytestmark = pytest.mark.django_db
LEDGERS = {"ledger-supply": "ok", "ledger-asset": "ok"}
HUNDRED_MB = 100 * 1024 * 1024


def test_malformed_json_is_a_problem_that_says_where() -> None:
    client = Client()
    for body in (b'{"code": ', b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a": "\\u0000"}', b'{"\\ud800": 1}', b""):
        answer = client.post("/api/v1/session/", body, content_type="application/json")
        assert answer.status_code == 400, (body[:20], answer.content)
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] in ("malformed", "invalid") and problem["status"] == 400
        assert set(problem) >= {"type", "title", "status", "code", "detail", "errors"}
        assert problem["type"] == f"/docs/errors#{problem['code']}"


def test_another_type_of_body_is_named_as_such() -> None:
    answer = Client().post("/api/v1/session/", "a=b", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_who_is_not_signed_in_gets_a_problem() -> None:
    answer = Client().get("/api/v1/orders/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_address_that_is_not_there_is_a_problem_for_programs_and_a_page_for_people() -> None:
    client = Client()
    answer = client.get("/api/v1/nothing/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    page = client.get("/nothing/", headers={"Accept": "text/html"})
    assert page.status_code == 404 and page.headers["Content-Type"].startswith("text/html")


def test_what_breaks_says_nothing_about_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[None]:
        raise RuntimeError("a password: hunter2")

    monkeypatch.setattr(metrics, "_sources", [broken])
    answer = Client(raise_request_exception=False).get("/metrics")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert b"hunter2" not in answer.content and b"Traceback" not in answer.content


def test_every_page_runs_this_houses_scripts_only() -> None:
    for path in ("/console/sign-in/", "/api/v1/session/", "/healthz"):
        assert Client().get(path).headers["Content-Security-Policy"] == POLICY
    assert "script-src 'self';" in POLICY and "http:" not in POLICY and "https:" not in POLICY


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    for length in (str(BODY_LIMIT + 1), "9" * 5000, "-1", "a lot"):
        answer = Client().generic("POST", "/api/v1/session/", b"{}", CONTENT_LENGTH=length)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large"), length


def gauge(name: str, text: str) -> float:
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_metrics_tell_what_waits_and_what_was_put_aside(recorder: Recorder) -> None:
    record(3)
    number_waiting(2)
    FailedEvent.objects.create(subscriber="recorder", event=record()[0], error="RuntimeError")
    answer = Client().get("/metrics")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    text = answer.content.decode()
    assert gauge("yirong_events_waiting ", text) == 2
    assert gauge("yirong_failed_events ", text) == 1
    assert gauge('yirong_subscriber_lag{subscriber="recorder"}', text) == 2


def test_health_names_what_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get("/healthz").json() == {"database": "ok", "valkey": "ok"} | LEDGERS

    def lost(*_: object) -> None:
        raise RedisConnectionError("gone: secret address")

    monkeypatch.setattr(metrics, "_valkey", lost)
    answer = Client().get("/healthz")
    assert answer.status_code == 503 and answer.json() == {"database": "ok", "valkey": "ConnectionError"} | LEDGERS


class Server:
    """A real web server, spoken to byte by byte."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    @staticmethod
    def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from backend.core.launch.environment import DataFolder

    folder = DataFolder(Path(tmp_path_factory.mktemp("web")))
    folder.make()
    product = Product(folder, None)
    try:
        product.start_web()
        yield Server(product.port, product.running["web"].log)
    finally:
        product.stop()


def test_a_callers_own_word_about_its_address_counts_for_nothing_in_the_log(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.9\r\nUser-Agent: forger\r\n\r\n"
        )
        server.answer(connection)
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if '"forger"' in line]
    assert [line["ip"] for line in lines] == ["127.0.0.1"]
    assert "203.0.113.9" not in server.log.read_text()


HEAD = b"POST /api/v1/session/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


def test_a_body_of_100_mb_is_refused_before_it_is_sent(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % HUNDRED_MB)
        status, problem = server.answer(connection)
    assert (status, problem["code"], problem["limit"]) == (413, "too-large", BODY_LIMIT)


def test_a_body_in_chunks_without_a_length_is_refused_as_soon_as_it_is_too_large(server: Server) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with server.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < HUNDRED_MB:
                connection.sendall(chunk)
                sent += 0x10000
                if sent > BODY_LIMIT:
                    time.sleep(0.05)  # so that what the server has to say arrives before it closes
        except OSError:
            pass
        # What the kernel buffers between the two counts as sent.
        assert BODY_LIMIT < sent < BODY_LIMIT + 16 * 1024 * 1024
    assert wait_until(lambda: answers(server), "it still serves")


def test_the_sender_of_a_body_just_over_the_limit_reads_why(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n" % (BODY_LIMIT + 1) + b" " * (BODY_LIMIT + 1))
        status, problem = server.answer(connection)
    assert (status, problem["code"]) == (413, "too-large")


def test_a_body_in_chunks_within_the_limit_is_read(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        status, problem = server.answer(connection)
    assert status in (400, 422) and problem["code"] == "invalid"


def answers(server: Server) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (200, 503)
    except OSError:
        return False
    finally:
        connection.close()


def test_a_signed_in_person_with_malformed_json_changes_nothing() -> None:
    client = Client()
    client.force_login(make_cast().office.person)
    answer = client.post(
        "/api/v1/orders/", b"{", content_type="application/json", headers={"Idempotency-Key": "a-key-of-mine"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
