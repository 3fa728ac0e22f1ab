from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from backend.core.errors import NotFound
from backend.core.events import Actor
from backend.core.fields import QuantityField
from backend.evidence.subjects import Subject
from backend.trade.models import DespatchState, ProductionOrder
from backend.trade.selectors.goods import may_attach, orders, viewer


def productions(by: Actor) -> QuerySet[ProductionOrder]:
    """Lots made for the caller's orders, each with `despatched`: what was sent of it and did not come back."""
    kept = ~Q(despatch_lines__despatch__state=DespatchState.RETURNED)
    sent = Coalesce(Sum("despatch_lines__quantity", filter=kept), 0, output_field=QuantityField())
    related = ("factory", "order__buyer", "order__seller", "order_line")
    found = ProductionOrder.objects.filter(order__in=orders(by).order_by().values("id"))
    return found.select_related(*related).annotate(despatched=sent)


def find_production(by: Actor, production_id: UUID) -> ProductionOrder:
    """One of them, NotFound otherwise."""
    found = productions(by).filter(id=production_id).first()
    if found is None:
        raise NotFound()
    return found


def production_subject(by: Actor, production_id: UUID) -> Subject:
    """A production order as something to attach a quality report to: the factory and the buyer of that order may."""
    production = find_production(by, production_id)
    parties = (production.order.buyer_id, production.order.seller_id)
    return Subject(production.id, production.order_id, parties, may_attach=may_attach(viewer(by), parties))
