from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trade", "0004_versions_and_amendments")]

    operations = [
        migrations.AddField(
            "purchaseorder",
            "cancellation_reason",
            models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
        migrations.AddField(
            "orderamendment",
            "refusal_reason",
            models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
        migrations.AlterField(
            "orderamendment",
            "kind",
            models.CharField(choices=[("AMEND", "Amend"), ("CANCEL", "Cancel")], max_length=6),
        ),
    ]
