"""WeChat's sign-in server, played on loopback for the demonstration and the tests: the same fields, the same errors.

    python -m backend.parties.wechat_simulator --port 8901

`GET /sns/jscode2session` answers as WeChat does: codes are single use and live five minutes, a person is asked for at most so often a
minute. What WeChat has no door for: `POST /simulator/codes` {"appid", "openid"} issues the code that `wx.login` would give, and
`POST /simulator/busy` {"times"} makes the next answers "system busy". AppID and secret come from WECHAT_APPID and WECHAT_SECRET.
"""

import argparse
import base64
import json
import os
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

APPID = "wx00simulator00"
SECRET = "simulated-not-secret"  # noqa: S105 - the simulator's own, known to all
CODE_SECONDS = 300
PER_MINUTE = 100
BODY_LIMIT = 4096

Answer = dict[str, Any]


def issue_code(openid: str) -> str:
    """Asks the running simulator (settings.WECHAT_BASE_URL) for a fresh code of `openid`. Raises httpx.HTTPError when it does not answer."""
    from django.conf import settings  # the simulator's own process knows no Django

    body = {"appid": settings.WECHAT_APPID or APPID, "openid": openid}
    response = httpx.post(f"{settings.WECHAT_BASE_URL}/simulator/codes", json=body, timeout=3.0, trust_env=False)
    return str(response.raise_for_status().json()["code"])


def _error(code: int, message: str) -> Answer:
    return {"errcode": code, "errmsg": f"{message}, rid: {secrets.token_hex(4)}-{secrets.token_hex(4)}"}


class Simulator:
    """The state behind the doors: codes issued and used, and how often each person was asked for. Safe for threads."""

    def __init__(
        self, appid: str, secret: str, *, per_minute: int = PER_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.appid, self.secret, self.per_minute, self.clock = appid, secret, per_minute, clock
        self.issued: dict[str, tuple[str, float]] = {}
        self.used: set[str] = set()
        self.asked: dict[str, deque[float]] = defaultdict(deque)
        self.busy = 0
        self.lock = threading.Lock()

    def issue(self, appid: str, openid: str) -> Answer:
        """What `wx.login` gives the mini-program."""
        if appid != self.appid:
            return _error(40013, "invalid appid")
        with self.lock:
            self._forget()
            code = "0" + secrets.token_urlsafe(24)[:31]
            self.issued[code] = (openid, self.clock() + CODE_SECONDS)
            return {"code": code}

    def jscode2session(self, asked: dict[str, str]) -> Answer:
        """What the mini-program's server gets for a code."""
        for name, number in (("appid", 41002), ("secret", 41004), ("js_code", 41008)):
            if not asked.get(name):
                return _error(number, f"{'code' if name == 'js_code' else name} missing")
        if asked["appid"] != self.appid:
            return _error(40013, "invalid appid")
        if not secrets.compare_digest(asked["secret"].encode(), self.secret.encode()):
            return _error(40125, "invalid appsecret")
        if asked.get("grant_type") != "authorization_code":
            return _error(40002, "invalid grant_type")
        with self.lock:
            return self._spend(asked["js_code"])

    def _spend(self, code: str) -> Answer:
        if self.busy:
            self.busy -= 1
            return _error(-1, "system error")
        self._forget()
        if code not in self.issued:
            return _error(40029, "invalid code")
        if code in self.used:
            return _error(40163, "code been used")
        openid, _ = self.issued[code]
        asked, now = self.asked[openid], self.clock()
        while asked and asked[0] <= now - 60:
            asked.popleft()
        if len(asked) >= self.per_minute:
            return _error(45011, "api minute-quota reach limit")
        asked.append(now)
        self.used.add(code)
        return {"openid": openid, "session_key": base64.b64encode(secrets.token_bytes(16)).decode()}

    def _forget(self) -> None:
        now = self.clock()
        for code in [code for code, (_, until) in self.issued.items() if until <= now]:
            del self.issued[code]
            self.used.discard(code)


def make_server(simulator: Simulator, port: int) -> ThreadingHTTPServer:
    """A server on loopback, not yet serving. Port 0 takes any."""

    class Doors(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/sns/jscode2session":
                # WeChat says text/plain of its JSON
                self._answer(
                    200, simulator.jscode2session({k: v[0] for k, v in parse_qs(url.query).items()}), "text/plain"
                )
            elif url.path == "/healthz":
                self._answer(200, {"simulator": "ok"})
            else:
                self._answer(404, {"error": "not found"})

        def do_POST(self) -> None:
            body = self._body()
            if body is None:
                self._answer(400, {"error": "a JSON object of at most 4096 bytes"})
            elif self.path == "/simulator/codes" and isinstance(body.get("openid"), str) and body["openid"]:
                answer = simulator.issue(str(body.get("appid", "")), body["openid"])
                self._answer(200 if "code" in answer else 400, answer)
            elif self.path == "/simulator/busy" and isinstance(body.get("times"), int):
                with simulator.lock:
                    simulator.busy = body["times"]
                self._answer(200, {"times": simulator.busy})
            else:
                self._answer(404, {"error": "not found"})

        def _body(self) -> Answer | None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdecimal() or int(length) > BODY_LIMIT:
                self.close_connection = True
                return None
            try:
                body = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                return None
            return body if isinstance(body, dict) else None

        def _answer(self, status: int, answer: Answer, kind: str = "application/json") -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the address line holds secret and code."""

    return ThreadingHTTPServer(("127.0.0.1", port), Doors)


def main(arguments: list[str] | None = None) -> None:
    """Serves until ended. Says where on the first line of its output."""
    parser = argparse.ArgumentParser(
        prog="wechat_simulator", description="WeChat's sign-in server, simulated on loopback"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--per-minute", type=int, default=PER_MINUTE, help="sign-ins of one person a minute (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    simulator = Simulator(
        os.environ.get("WECHAT_APPID") or APPID,
        os.environ.get("WECHAT_SECRET") or SECRET,
        per_minute=options.per_minute,
    )
    with make_server(simulator, options.port) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)  # noqa: T201 - whoever starts it reads the port
        server.serve_forever()


if __name__ == "__main__":
    main()
