from uuid import UUID

from django.db.models import QuerySet

from backend.core.events import Actor
from backend.trade.models import DocumentVersion
from backend.trade.selectors.goods import find_order


def versions(by: Actor, order_id: UUID) -> QuerySet[DocumentVersion]:
    """Every version of every document of one of the caller's orders. NotFound for another's order."""
    return DocumentVersion.objects.filter(order=find_order(by, order_id))
