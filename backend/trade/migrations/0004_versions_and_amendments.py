from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def price_of_its_order(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """What was sent before prices could be amended was sent at the order's."""
    lines = apps.get_model("trade", "OrderLine").objects.filter(pk=models.OuterRef("order_line"))
    apps.get_model("trade", "DespatchLine").objects.update(unit_price=models.Subquery(lines.values("unit_price")))


class Migration(migrations.Migration):
    dependencies = [("trade", "0003_documents")]

    operations = [
        migrations.AddField("despatch", "order_version", models.PositiveIntegerField(default=1)),
        migrations.AddField(
            "despatchline", "unit_price", models.CharField(default="", max_length=32), preserve_default=False
        ),
        migrations.RunPython(price_of_its_order, migrations.RunPython.noop),
    ]
