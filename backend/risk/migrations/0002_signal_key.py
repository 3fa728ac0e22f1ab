from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("risk", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="signal", name="signal_once_a_rule_and_event"),
        migrations.AddField(
            model_name="signal",
            name="key",
            field=models.CharField(default="", max_length=128),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.UniqueConstraint(
                fields=("rule", "event", "key"), name="signal_once_a_rule_event_and_key"
            ),
        ),
    ]
