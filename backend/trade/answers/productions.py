from rest_framework import serializers

from backend.core.schema import AnchorAnswer
from backend.trade.answers.goods import OrderRefAnswer, OrganisationAnswer, Out, PageAnswer, Text
from backend.trade.models import ProductionState


class ProductionSummaryAnswer(Out):
    id = Text()
    production_no = Text()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(ProductionState.choices)
    factory = OrganisationAnswer()
    order = OrderRefAnswer()
    order_line = Text()
    item_name = Text()
    unit = Text()
    lot = Text()
    planned_quantity = Text()
    produced_quantity = Text()
    passed_quantity = Text()
    despatched_quantity = Text(help_text="sent of this lot and not come back")


class ProductionsAnswer(PageAnswer):
    results = ProductionSummaryAnswer(many=True)


class ProductionAnswer(ProductionSummaryAnswer):
    document = serializers.DictField(help_text="the canonical document")
    digest = Text()
    cancellation_reason = Text()
    vouchers = serializers.ListField(child=serializers.DictField())
    anchor = AnchorAnswer()
    actions = serializers.ListField(child=Text())
