import hashlib

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from backend.core.sections import open_section
from backend.ledger import canonical

BROUGHT = ("order.issued", "despatch.despatched", "receipt.signed")


def keep_first_versions(apps: Apps, _editor: BaseDatabaseSchemaEditor | None) -> None:
    """What was recorded before versions were kept has one each: the document that its event sealed."""
    versions = apps.get_model("trade", "DocumentVersion").objects
    kept = versions.values("event_id")
    for event in apps.get_model("core", "Event").objects.filter(type__in=BROUGHT).exclude(id__in=kept).order_by("id"):
        document = open_section(event.id, "document").content
        versions.create(
            order_id=event.payload["order"],
            subject_type=event.subject_type,
            subject_id=event.subject_id,
            version=event.version,
            document=document,
            digest=hashlib.sha256(canonical.dumps(document)).hexdigest(),
            at=event.time,
            event_id=event.id,
        )


class Migration(migrations.Migration):
    dependencies = [("core", "0002_sequences"), ("trade", "0006_productions")]

    operations = [migrations.RunPython(keep_first_versions, migrations.RunPython.noop)]
