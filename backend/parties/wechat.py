"""WeChat's server: a sign-in code becomes an openid (auth.code2Session). A simulator on loopback answers the same way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

import httpx
import stamina
import structlog
from django.conf import settings

from backend.core.errors import DomainError
from backend.parties import wechat_simulator
from backend.parties.errors import (
    CodeInvalid,
    CodeUsed,
    WeChatBlocked,
    WeChatBusy,
    WeChatRateLimited,
    WeChatRefusesServer,
)

log = structlog.get_logger(__name__)

PATH = "/sns/jscode2session"
ATTEMPTS = 3
SECONDS = httpx.Timeout(4.0, connect=2.0)
ANSWER_LIMIT = 16 * 1024
SYSTEM_BUSY = -1
# https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
ERRORS: dict[int, type[DomainError]] = {
    SYSTEM_BUSY: WeChatBusy,
    40029: CodeInvalid,
    40163: CodeUsed,
    45011: WeChatRateLimited,
    40226: WeChatBlocked,
    41008: CodeInvalid,
}


@dataclass(frozen=True)
class Identity:
    """Who WeChat says it is. The session_key is dropped where it arrives: nothing here needs it, so nothing here can lose it."""

    openid: str


Exchange = Callable[[str], Identity]


class _TryAgain(Exception):
    """WeChat did not look at the code: asking again cannot use it twice."""


@cache
def _client(base_url: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, timeout=SECONDS, trust_env=not _is_loopback(httpx.URL(base_url).host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _credentials() -> tuple[str, str]:
    if settings.DEMO and not settings.WECHAT_APPID:
        return wechat_simulator.APPID, wechat_simulator.SECRET
    return settings.WECHAT_APPID, settings.WECHAT_SECRET


def exchange_code(code: str) -> Identity:
    """Asks WeChat who signed in with `code` (single use, five minutes).

    Tried again only where WeChat cannot have used the code up: no connection, or "system busy". Raises CodeInvalid, CodeUsed, WeChatBlocked,
    WeChatRateLimited, WeChatBusy (busy, no answer, or none that makes sense) and WeChatRefusesServer. Neither code nor secret is logged.
    """
    try:
        for attempt in stamina.retry_context(
            on=_TryAgain, attempts=ATTEMPTS, timeout=8, wait_initial=0.1, wait_max=1.0
        ):
            with attempt:
                return _ask(code)
    except _TryAgain:
        raise WeChatBusy() from None
    raise AssertionError("unreachable: the last attempt returns or raises")


def _ask(code: str) -> Identity:
    appid, secret = _credentials()
    asked = {"appid": appid, "secret": secret, "js_code": code, "grant_type": "authorization_code"}
    try:
        response = _client(settings.WECHAT_BASE_URL).get(PATH, params=asked)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _TryAgain(type(error).__name__) from None
    except httpx.HTTPError as error:
        log.warning("wechat gave no answer", error=type(error).__name__)
        raise WeChatBusy() from None
    answer = _read(response)
    error_code = answer.get("errcode") or 0
    if error_code == SYSTEM_BUSY:
        raise _TryAgain("system busy")
    if error_code:
        raise _refusal(error_code)
    openid = answer.get("openid")
    if not isinstance(openid, str) or not 0 < len(openid) <= 64:
        log.error("wechat named no openid", status=response.status_code)
        raise WeChatBusy()
    return Identity(openid=openid)


def _read(response: httpx.Response) -> dict[str, Any]:
    # WeChat answers JSON as text/plain, and errors with status 200.
    try:
        answer = response.json() if response.is_success and len(response.content) <= ANSWER_LIMIT else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        log.warning("wechat's answer makes no sense", status=response.status_code)
        raise WeChatBusy()
    return answer


def _refusal(error_code: object) -> DomainError:
    known = ERRORS.get(error_code) if isinstance(error_code, int) else None
    if known:
        return known()
    log.error("wechat refuses this server", errcode=error_code)
    return WeChatRefusesServer()
