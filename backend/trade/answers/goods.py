"""What the API answers, for its schema: each class describes what rendering.py and tracing.py build."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import Serializer

from backend.core.schema import AnchorAnswer
from backend.trade.models import AmendmentKind, AmendmentState, DespatchState, OrderState, ProductionState, ReceiptState
from backend.trade.serializers import MoneySerializer, ReceiptCountSerializer

Out = Serializer[Any]
Text = serializers.CharField
Time = serializers.DateTimeField


class OrganisationAnswer(Out):
    id = Text()
    uscc = Text()
    name = Text()
    name_en = Text()


class PersonAnswer(Out):
    id = Text(help_text="the member")
    name = Text()
    name_en = Text()


class NameAnswer(Out):
    name = Text()
    name_en = Text()


class LinesSummaryAnswer(Out):
    count = serializers.IntegerField()
    first_item = Text()
    quantity = Text()
    unit = Text()


class OrderRefAnswer(Out):
    id = Text()
    order_no = Text()


class TaskAnswer(Out):
    kind = serializers.ChoiceField(
        [
            "order_to_sign",
            "order_to_confirm",
            "amendment_to_answer",
            "cancellation_to_answer",
            "order_to_despatch",
            "delivery_to_receive",
            "trip",
        ]
    )
    subject = Text()
    order = OrderRefAnswer()
    number = Text()
    counterparty = NameAnswer()
    lines_summary = LinesSummaryAnswer()
    total = MoneySerializer(allow_null=True)
    since = Time()
    state = Text()


class TasksAnswer(Out):
    results = TaskAnswer(many=True)


class PageAnswer(Out):
    next = Text(allow_null=True)
    previous = Text(allow_null=True)


class DeviceAnswer(Out):
    id = Text()
    model = Text()


class BandAnswer(Out):
    from_m = serializers.IntegerField()
    to_m = serializers.IntegerField(allow_null=True)


class PlaceAnswer(Out):
    provided = serializers.BooleanField()
    precision_class = Text()
    accuracy_m = serializers.IntegerField(allow_null=True)
    age_s = serializers.IntegerField(allow_null=True)
    distance_m = serializers.IntegerField(
        allow_null=True, help_text="metres to the order's address; null for those whose own act it was not"
    )
    distance_band = BandAnswer(allow_null=True)
    within = serializers.BooleanField(allow_null=True)
    simulated = serializers.BooleanField()


class SignatureAnswer(Out):
    action = Text()
    subject = Text()
    member = PersonAnswer()
    organisation = OrganisationAnswer()
    device = DeviceAnswer(allow_null=True)
    assurance = Text()
    simulated = serializers.BooleanField()
    at = Time()
    anchor = AnchorAnswer()


class BothLanguagesAnswer(Out):
    zh = Text()
    en = Text()


class SigningAnswer(Out):
    action = Text()
    text_id = Text()
    text_version = serializers.IntegerField()
    text = BothLanguagesAnswer()


class OrderSummaryAnswer(Out):
    id = Text()
    order_no = Text()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(OrderState.choices)
    buyer = OrganisationAnswer()
    seller = OrganisationAnswer()
    total = MoneySerializer()
    lines_summary = LinesSummaryAnswer()
    issued_at = Time()


class OrdersAnswer(PageAnswer):
    results = OrderSummaryAnswer(many=True)


class DespatchRefAnswer(Out):
    id = Text()
    despatch_no = Text()
    state = serializers.ChoiceField(DespatchState.choices)


class ReceiptRefAnswer(Out):
    id = Text()
    receipt_no = Text()
    state = serializers.ChoiceField(ReceiptState.choices)


class ProductionRefAnswer(Out):
    id = Text()
    production_no = Text()
    state = serializers.ChoiceField(ProductionState.choices)


class IssuerAnswer(Out):
    organisation = Text()


class AmendmentSummaryAnswer(Out):
    id = Text()
    kind = serializers.ChoiceField(AmendmentKind.choices)
    state = serializers.ChoiceField(AmendmentState.choices)
    base_version = serializers.IntegerField(help_text="the version of the order that it would change")
    reason = Text()
    proposed_at = Time()


class LineTermsAnswer(Out):
    quantity = Text()
    unit_price = Text()
    tolerance_pct = Text()
    amount = Text()


class LineDifferenceAnswer(Out):
    line_id = Text()
    item_name = Text()
    before = LineTermsAnswer(allow_null=True, help_text="null for a line that is added")
    after = LineTermsAnswer()


class ProposerAnswer(Out):
    member = PersonAnswer()
    organisation = OrganisationAnswer()


class AmendmentAnswer(AmendmentSummaryAnswer):
    order = OrderRefAnswer()
    document = serializers.DictField(help_text="the order as it will be: exactly what is hashed and signed")
    digest = Text()
    differences = LineDifferenceAnswer(many=True)
    refusal_reason = Text()
    proposed_by = ProposerAnswer()
    closed_at = Time(allow_null=True)
    signatures = SignatureAnswer(many=True)
    anchor = AnchorAnswer()
    actions = serializers.ListField(child=Text())
    signing = SigningAnswer(allow_null=True)


class ShipToAnswer(Out):
    name = Text()
    address = Text()


class DirectDestinationAnswer(Out):
    order = OrderRefAnswer()
    buyer = OrganisationAnswer()
    ship_to = ShipToAnswer()
    left = serializers.DictField(child=Text(), help_text="of each own line that is bought for that order")


class OrderAnswer(OrderSummaryAnswer):
    document = serializers.DictField(help_text="the canonical document: exactly what is hashed and signed")
    digest = Text(help_text="SHA-256 of the document's canonical JSON (RFC 8785)")
    issued_by = IssuerAnswer()
    rejection_reason = Text()
    cancellation_reason = Text()
    undespatched = serializers.DictField(child=Text())
    delivers_to = DirectDestinationAnswer(
        many=True, help_text="back-to-back: for the seller, to whom these goods may go instead"
    )
    signatures = SignatureAnswer(many=True)
    despatches = DespatchRefAnswer(many=True)
    receipts = ReceiptRefAnswer(many=True)
    productions = ProductionRefAnswer(many=True)
    amendments = AmendmentSummaryAnswer(many=True)
    amendment = AmendmentAnswer(allow_null=True, help_text="the one that waits for an answer")
    vouchers = serializers.ListField(child=serializers.DictField())
    anchor = AnchorAnswer()
    actions = serializers.ListField(child=Text())
    signing = SigningAnswer(allow_null=True)
    proposing = SigningAnswer(many=True, help_text="with what sentences the viewer may propose a change")


class DespatchOrderAnswer(OrderRefAnswer):
    version = serializers.IntegerField()
    buyer = OrganisationAnswer()
    seller = OrganisationAnswer()


class DespatchSummaryAnswer(Out):
    id = Text()
    despatch_no = Text()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(DespatchState.choices)
    order = DespatchOrderAnswer()
    carrier = OrganisationAnswer(allow_null=True)
    driver = PersonAnswer(allow_null=True)
    despatch_party = OrganisationAnswer(help_text="who sent the goods off: back-to-back, not the order's seller")
    direct = serializers.BooleanField(help_text="whether they go directly to the buyer of an order above")
    receipt = ReceiptRefAnswer(allow_null=True)
    despatched_at = Time()


class DespatchesAnswer(PageAnswer):
    results = DespatchSummaryAnswer(many=True)


class DespatchLineAnswer(Out):
    despatch_line = Text()
    order_line = Text()
    item_name = Text()
    quantity = Text()
    unit = Text()
    unit_price = Text(allow_null=True)


class MilestoneAnswer(Out):
    kind = Text()
    member = PersonAnswer()
    at = Time()
    place = PlaceAnswer()
    anchor = AnchorAnswer()


class DespatchAnswer(DespatchSummaryAnswer):
    document = serializers.DictField()
    digest = Text()
    lines = DespatchLineAnswer(many=True)
    currency = Text(allow_null=True)
    milestones = MilestoneAnswer(many=True)
    vouchers = serializers.ListField(child=serializers.DictField())
    anchor = AnchorAnswer()
    actions = serializers.ListField(child=Text())
    signing = SigningAnswer(allow_null=True)


class ReceiptLineAnswer(ReceiptCountSerializer):
    item_name = Text()
    unit = Text()
    amount = Text(allow_null=True)


class ReceiptDespatchAnswer(Out):
    id = Text()
    despatch_no = Text()


class ReceiptSummaryAnswer(Out):
    id = Text()
    receipt_no = Text()
    state = serializers.ChoiceField(ReceiptState.choices)
    order = OrderRefAnswer()
    despatch = ReceiptDespatchAnswer()
    total = MoneySerializer(allow_null=True, help_text="null, as all money, for whoever delivered for the seller")
    signer = PersonAnswer(allow_null=True)
    assurance = Text()
    signed_at = Time()


class ReceiptsAnswer(PageAnswer):
    results = ReceiptSummaryAnswer(many=True)


class ReceiptAnswer(ReceiptSummaryAnswer):
    version = serializers.IntegerField()
    document = serializers.DictField(allow_null=True)
    digest = Text(allow_null=True)
    lines = ReceiptLineAnswer(many=True)
    buyer = OrganisationAnswer()
    seller = OrganisationAnswer()
    device = DeviceAnswer(allow_null=True)
    location = PlaceAnswer(allow_null=True)
    captured_at = Time()
    vouchers = serializers.ListField(child=serializers.DictField())
    anchor = AnchorAnswer()


class CarrierAnswer(OrganisationAnswer):
    drivers = PersonAnswer(many=True)


class CarriersAnswer(Out):
    results = CarrierAnswer(many=True)


class FaultAnswer(Out):
    code = Text()
    subject = Text()
    field = Text()
    detail = Text()


class VerdictAnswer(Out):
    state = serializers.ChoiceField(["sound", "waiting", "broken"])
    faults = FaultAnswer(many=True)
    events = serializers.IntegerField()
    anchored = serializers.IntegerField()


class StepAnswer(Out):
    event = Text()
    type = Text()
    subject = Text()
    number = Text()
    at = Time()
    organisation = OrganisationAnswer(allow_null=True)
    member = PersonAnswer(allow_null=True)
    device = DeviceAnswer(allow_null=True)
    assurance = Text(allow_null=True)
    place = serializers.DictField(allow_null=True)
    vouchers = serializers.ListField(child=serializers.DictField())
    anchor = AnchorAnswer()
    faults = FaultAnswer(many=True)


class CountedLineAnswer(ReceiptCountSerializer):
    order_line = Text()
    item_name = Text()
    unit = Text()


class CountedAnswer(Out):
    id = Text()
    receipt_no = Text()
    state = serializers.ChoiceField(ReceiptState.choices)
    despatch = Text()
    lines = CountedLineAnswer(many=True)


class TraceAnswer(Out):
    order = OrderSummaryAnswer(
        allow_null=True,
        help_text="null, with no steps, when rows were rewritten so that they cannot be read: the verdict names them",
    )
    steps = StepAnswer(many=True)
    receipts = CountedAnswer(many=True, help_text="what was counted of each delivery, by the lines of this order")
    vouchers = serializers.ListField(child=serializers.DictField())
    verdict = VerdictAnswer()
