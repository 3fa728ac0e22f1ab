from rest_framework import serializers

from backend.core.schema import AnchorAnswer
from backend.trade.answers.goods import Out, PageAnswer, Text, Time


class VersionAnswer(Out):
    subject = Text(help_text="the document: an order, a despatch, a receipt ...")
    type = Text()
    version = serializers.IntegerField()
    document = serializers.DictField(help_text="as it stood: what is hashed and signed")
    digest = Text()
    reason = Text(help_text="why it superseded the one before; empty for a first version")
    at = Time()
    anchor = AnchorAnswer()


class VersionsAnswer(PageAnswer):
    results = VersionAnswer(many=True)
