from typing import Any

from rest_framework import serializers

from backend.trade.models import AmendmentKind
from backend.trade.serializers.goods import NewLineSerializer, SignedOrderActSerializer, many
from backend.trade.services import LINES_LIMIT


class NewAmendmentSerializer(SignedOrderActSerializer):
    """A signed act over the order as it will be, and what is to change."""

    kind = serializers.ChoiceField(AmendmentKind.choices)
    reason = serializers.CharField(max_length=500)
    lines = many(
        NewLineSerializer,
        required=False,
        default=list,
        max_length=LINES_LIMIT,
        help_text="AMEND: every line of the order as it will be; CANCEL: none",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["lines"]) != (attrs["kind"] == "AMEND"):
            raise serializers.ValidationError({"lines": ["An amendment names every line, a cancellation none."]})
        return attrs
