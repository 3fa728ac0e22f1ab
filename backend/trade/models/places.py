from django.db import models


class PlaceFacts(models.Model):
    """What may be known of where an act was done without its coordinates: those lie in the event's encrypted capture."""

    location_given = models.BooleanField()
    precision_class = models.CharField(max_length=8, blank=True)
    datum = models.CharField(max_length=5, blank=True)
    accuracy_m = models.PositiveIntegerField(null=True)
    age_s = models.PositiveIntegerField(null=True)
    distance_m = models.FloatField(null=True)
    within = models.BooleanField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        abstract = True
