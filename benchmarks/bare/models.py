from django.db import models


class Row(models.Model):
    """What a view that does nothing else would insert."""

    text = models.CharField(max_length=100)
