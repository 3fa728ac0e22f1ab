"""What each chain refuses: kept where every process can show it, said in the log once."""

from collections.abc import Iterable
from functools import partial

import structlog

from backend.core import clock, metrics
from backend.core.metrics import Reading
from backend.evidence.models import Refusal
from backend.evidence.published import CHAINS
from backend.ledger.errors import LedgerError

log = structlog.get_logger(__name__)


def keep(chain: str, error: LedgerError) -> None:
    """Keeps what the chain refuses now. Said before, it changes nothing: `since` is when it began."""
    found = {"code": error.code, "detail": " ".join(str(one) for one in error.args)}
    if Refusal.objects.filter(chain=chain, **found).exists():
        return
    Refusal.objects.update_or_create(chain=chain, defaults=found | {"since": clock.now()})
    log.error("ledger refused", chain=chain, **found)


def clear(chain: str) -> None:
    """Forgets what the chain refused: it has gone through."""
    kept = Refusal.objects.filter(chain=chain)
    if kept.exists() and kept.delete()[0]:
        log.info("ledger goes on", chain=chain)


def refused() -> list[Refusal]:
    """What the chains refuse, the supply chain first."""
    return sorted(Refusal.objects.all(), key=lambda refusal: CHAINS.index(refusal.chain))


def readings() -> Iterable[Reading]:
    """For /metrics: whether each chain refuses."""
    refusing = {refusal.chain for refusal in refused()}
    for chain in CHAINS:
        yield (
            "yirong_ledger_refused",
            "Whether the chain refuses to sign (1) or not (0)",
            {"chain": chain},
            chain in refusing,
        )


def show_on_health_page() -> None:
    """Has /healthz name each chain, with the code of what it refuses."""
    for chain in CHAINS:
        metrics.part(f"ledger-{chain}", partial(_state, chain))


def _state(chain: str) -> str:
    return Refusal.objects.filter(chain=chain).values_list("code", flat=True).first() or metrics.OK
