"""Where a request comes from: its address and network, or those of the demonstration's handset it plays."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from backend.parties.handsets import HANDSETS


@dataclass(frozen=True)
class Origin:
    """The address and network of a request. `simulated`: they are a demonstration handset's, not the caller's."""

    ip: str | None = None
    network_type: str = ""
    simulated: bool = False
    handset: str = ""


def origin_of(request: HttpRequest | Request, *, handset: str = "", network_type: str = "") -> Origin:
    """The origin of a request. `handset` (else the header X-Handset) counts only in the demonstration."""
    played = HANDSETS.get(handset or request.headers.get("X-Handset", "")) if settings.DEMO else None
    if played:
        return Origin(ip=played.ip, network_type=network_type or played.network_type, simulated=True, handset=played.id)
    return Origin(ip=client_ip(request), network_type=network_type)


def client_ip(request: HttpRequest | Request) -> str | None:
    """The caller's address, None when there is none (a unix socket).

    Only settings.TRUSTED_PROXIES (how many proxies of one's own stand in front) makes X-Forwarded-For count, and then only what the
    outermost of them wrote: everything further left is the caller's own word.
    """
    text = request.META.get("REMOTE_ADDR", "")
    proxies = getattr(settings, "TRUSTED_PROXIES", 0)
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = hops[-proxies] if len(hops) >= proxies else text
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def log_caller(*, request: HttpRequest, **_: Any) -> None:
    """Has every line that this request logs name its caller's address."""
    structlog.contextvars.bind_contextvars(ip=client_ip(request))
