from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trade", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="purchaseorder", name="order_no_once_a_buyer"),
        migrations.AddConstraint(
            model_name="purchaseorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "REJECTED"), _negated=True),
                fields=("buyer", "seller", "order_key"),
                name="order_no_once_between_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaseorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["ISSUED", "REJECTED"]), _negated=True),
                fields=("buyer", "order_key"),
                name="order_no_once_a_buyer",
            ),
        ),
    ]
