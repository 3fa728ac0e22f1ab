from uuid import UUID

from django.db.models import QuerySet

from backend.core.errors import NotFound
from backend.core.events import Actor
from backend.trade.models import OrderAmendment, Signature
from backend.trade.selectors.goods import orders


def amendments(by: Actor) -> QuerySet[OrderAmendment]:
    """Changes that were proposed of the caller's orders."""
    return OrderAmendment.objects.filter(order__in=orders(by).order_by()).select_related(
        "order__buyer", "order__seller", "proposed_by__person", "proposed_by__organisation"
    )


def find_amendment(by: Actor, amendment_id: UUID) -> OrderAmendment:
    """One of them, NotFound otherwise."""
    found = amendments(by).filter(id=amendment_id).first()
    if found is None:
        raise NotFound()
    return found


def amendment_signatures(amendment: OrderAmendment) -> list[Signature]:
    """Who signed it: who proposed it, and who agreed."""
    rows = Signature.objects.filter(subject_type="amendment", subject_id=amendment.id)
    return list(rows.select_related("member__person", "organisation", "device").order_by("id"))
