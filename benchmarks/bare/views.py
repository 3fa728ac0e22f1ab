from rest_framework import serializers
from rest_framework.generics import CreateAPIView

from benchmarks.bare.models import Row


class RowSerializer(serializers.ModelSerializer):
    class Meta:
        model = Row
        fields = ("id", "text")


class InsertRow(CreateAPIView):
    """The least a view of this framework does when it writes: the caller's token, JSON in, one row, JSON out. Nothing is configured."""

    serializer_class = RowSerializer
