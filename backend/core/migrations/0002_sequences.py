from django.db import migrations


def insert_sequences(apps, schema_editor):
    """Positions begin at 1, because a cursor that has seen nothing stands at 0; a chain's first entry has index 0."""
    sequence = apps.get_model("core", "Sequence")
    for name, first in {"position": 1, "supply": 0, "asset": 0}.items():
        sequence.objects.get_or_create(name=name, defaults={"next": first})


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [migrations.RunPython(insert_sequences, migrations.RunPython.noop)]
