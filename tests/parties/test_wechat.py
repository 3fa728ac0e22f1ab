"""The adapter against the simulator as a process of its own: real HTTP, no mock."""

import contextlib
import logging
import socket
import threading

import httpx
import pytest

from backend.parties import wechat, wechat_simulator
from backend.parties.errors import CodeInvalid, CodeUsed, WeChatBusy, WeChatRateLimited, WeChatRefusesServer
from backend.parties.wechat_simulator import APPID, SECRET, Simulator, issue_code, make_server

exchange_code = wechat.exchange_code


@contextlib.contextmanager
def served(simulator: Simulator):
    server = make_server(simulator, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def answering(raw: bytes):
    """A server that answers every connection with these bytes, and counts them."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked = []

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(raw)

    threading.Thread(target=run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def test_a_code_is_exchanged_for_an_openid_once(wechat):
    code = issue_code("o-li")
    assert exchange_code(code).openid == "o-li"
    with pytest.raises(CodeUsed):
        exchange_code(code)


def test_the_answer_keeps_no_session_key(wechat):
    identity = exchange_code(issue_code("o-li"))
    assert vars(identity) == {"openid": "o-li"}


@pytest.mark.parametrize("code", ["made-up", "", "a&secret=x", "键", "x" * 3000])
def test_a_code_that_is_none_is_refused(wechat, code):
    with pytest.raises(CodeInvalid):
        exchange_code(code)


def test_busy_twice_is_tried_again_and_three_times_is_given_up(wechat):
    wechat.busy(2)
    assert exchange_code(issue_code("o-li")).openid == "o-li"
    wechat.busy(3)
    code = issue_code("o-li")
    with pytest.raises(WeChatBusy):
        exchange_code(code)
    assert exchange_code(code).openid == "o-li"


@pytest.mark.parametrize(("appid", "secret"), [("wx-other", SECRET), (APPID, "wrong"), (APPID, "")])
def test_wrong_credentials_are_the_servers_fault_and_never_logged(wechat, settings, caplog, appid, secret):
    caplog.set_level(logging.INFO)
    code = issue_code("o-li")
    settings.WECHAT_APPID, settings.WECHAT_SECRET = appid, secret
    with pytest.raises(WeChatRefusesServer) as refusal:
        exchange_code(code)
    said = caplog.text + str(refusal.value) + repr(refusal.value.__cause__)
    assert "errcode" in said
    for hidden in filter(None, (code, secret, appid)):
        assert hidden not in said


def test_too_many_sign_ins_of_one_person_are_slowed_down_and_others_are_not(settings, wechat):
    with served(Simulator(APPID, SECRET, per_minute=2)) as url:
        settings.WECHAT_BASE_URL = url
        for _ in range(2):
            exchange_code(issue_code("o-li"))
        with pytest.raises(WeChatRateLimited):
            exchange_code(issue_code("o-li"))
        assert exchange_code(issue_code("o-other")).openid == "o-other"


def test_a_code_lives_five_minutes_and_a_minute_passes(settings, wechat):
    time = [1000.0]
    with served(Simulator(APPID, SECRET, per_minute=1, clock=lambda: time[0])) as url:
        settings.WECHAT_BASE_URL = url
        code, other = issue_code("o-li"), issue_code("o-li")
        time[0] += 299
        assert exchange_code(code).openid == "o-li"
        with pytest.raises(WeChatRateLimited):
            exchange_code(other)
        time[0] += 1
        with pytest.raises(CodeInvalid):
            exchange_code(other)
        time[0] += 60
        assert exchange_code(issue_code("o-li")).openid == "o-li"


def test_a_server_that_is_not_there_is_busy(settings):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings.WECHAT_BASE_URL = f"http://127.0.0.1:{port}"
    with pytest.raises(WeChatBusy):
        exchange_code("code")


def response(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    "raw",
    [
        response(b"<html>gateway</html>", "502 Bad Gateway"),
        response(b"not json"),
        response(b"[]"),
        response(b"{}"),
        response(b'{"openid": 7}'),
        response(b'{"openid": "' + b"o" * 65 + b'"}'),
        response(b'{"openid": ""}'),
        response(b'{"pad": "' + b"x" * 20000 + b'", "openid": "o-li"}'),
        b"",
        b"garbage\r\n\r\n",
    ],
)
def test_an_answer_that_makes_no_sense_is_busy_and_asked_once_because_the_code_may_be_spent(settings, raw):
    with answering(raw) as (url, asked):
        settings.WECHAT_BASE_URL = url
        with pytest.raises(WeChatBusy):
            exchange_code("code")
    assert len(asked) == 1


def test_an_unknown_error_is_not_the_persons_fault(settings):
    with answering(response(b'{"errcode": 48001, "errmsg": "api unauthorized"}')) as (url, _):
        settings.WECHAT_BASE_URL = url
        with pytest.raises(WeChatRefusesServer):
            exchange_code("code")


def test_an_answer_that_does_not_come_is_busy(settings, monkeypatch):
    monkeypatch.setattr(wechat, "SECONDS", httpx.Timeout(0.3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.WECHAT_BASE_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(WeChatBusy):
            exchange_code("code")


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        ({}, 41002),
        ({"appid": APPID}, 41004),
        ({"appid": APPID, "secret": SECRET}, 41008),
        ({"appid": "wx", "secret": SECRET, "js_code": "c"}, 40013),
        ({"appid": APPID, "secret": "no", "js_code": "c"}, 40125),
        ({"appid": APPID, "secret": SECRET, "js_code": "c", "grant_type": "x"}, 40002),
        ({"appid": APPID, "secret": SECRET, "js_code": "c", "grant_type": "authorization_code"}, 40029),
    ],
)
def test_the_simulator_says_what_wechat_says(simulator_url, query, errcode):
    answer = httpx.get(f"{simulator_url}/sns/jscode2session", params=query)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/plain"
    assert answer.json()["errcode"] == errcode and answer.json()["errmsg"]


def test_the_simulator_answers_with_wechats_fields(simulator_url, wechat):
    query = {"appid": APPID, "secret": SECRET, "js_code": issue_code("o-li"), "grant_type": "authorization_code"}
    assert set(httpx.get(f"{simulator_url}/sns/jscode2session", params=query).json()) == {"openid", "session_key"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"openid": 7}', b'{"openid": ""}', b"[" * 4000, b"x" * 5000]
)
def test_the_simulator_survives_junk(simulator_url, body):
    answer = httpx.post(f"{simulator_url}/simulator/codes", content=body)
    assert answer.status_code in (400, 404)
    assert httpx.get(f"{simulator_url}/healthz").json() == {"simulator": "ok"}


def test_the_simulator_needs_no_django(simulator_url):
    import subprocess
    import sys

    probe = "import sys; import backend.parties.wechat_simulator; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
    assert wechat_simulator.CODE_SECONDS == 300
