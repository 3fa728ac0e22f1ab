import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trade", "0005_amendments")]

    operations = [
        migrations.AddField("productionorder", "order_version", models.PositiveIntegerField(default=1)),
        migrations.AddField("productionorder", "tested_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "productionorder",
            "cancellation_reason",
            models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
        migrations.AddField(
            "despatchline",
            "production",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="despatch_lines",
                to="trade.productionorder",
            ),
        ),
    ]
