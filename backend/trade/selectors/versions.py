from uuid import UUID

from django.db.models import Q, QuerySet

from backend.core.events import Actor
from backend.trade.models import DocumentVersion, PurchaseOrder
from backend.trade.selectors.back_to_back import deliveries_of
from backend.trade.selectors.goods import find_order


def versions(by: Actor, order_id: UUID) -> QuerySet[DocumentVersion]:
    """Every version of every document of one of the caller's orders. NotFound for another's order."""
    order = find_order(by, order_id)
    delivered = Q(subject_type="despatch", subject_id__in=deliveries_of(order.id).values("id"))
    return DocumentVersion.objects.filter(Q(order=order) | delivered)


def order_version(order: PurchaseOrder, version: int) -> DocumentVersion:
    """An order as it stood at one of its versions."""
    return DocumentVersion.objects.get(subject_type="order", subject_id=order.id, version=version)
