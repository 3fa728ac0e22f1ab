"""A person's yes or no to one purpose, on record and anchored (PIPL art. 14, 15, 29: separate, informed, withdrawable)."""

from django.db import transaction

from backend.core import clock
from backend.core.errors import Forbidden
from backend.core.events import Actor, emit
from backend.core.ids import new_id
from backend.core.sections import Section
from backend.parties import events
from backend.parties.errors import ConsentTextUnknown
from backend.parties.models import Consent
from backend.parties.texts import CONSENT_TEXTS


def record_consent(*, by: Actor, purpose: str, text_id: str, text_version: str, given: bool) -> Consent:
    """Records that the person gives consent under the present text, or withholds or withdraws it.

    Raises ConsentTextUnknown (422) for a text or version that is not the present one: nobody agreed to words they were not shown.
    """
    if by.person is None or by.member is None:
        raise Forbidden()
    text = CONSENT_TEXTS.get(purpose)
    if text is None or (text_id, text_version) != (text.id, text.version):
        raise ConsentTextUnknown(field="text_version" if text and text_id == text.id else "text_id")
    event_id = new_id()
    with transaction.atomic():
        consent = Consent.objects.create(
            person_id=by.person,
            member_id=by.member,
            device_id=by.device,
            purpose=purpose,
            text_id=text.id,
            text_version=text.version,
            text_sha256=text.sha256,
            given=given,
            at=clock.now(),
            event=event_id,
        )
        facts = {
            "purpose": purpose,
            "text_id": text.id,
            "text_version": text.version,
            "text_sha256": text.sha256,
            "given": given,
            "at": clock.rfc3339(consent.at),
        }
        emit(
            type=events.CONSENT_GIVEN if given else events.CONSENT_WITHDRAWN,
            chain="supply",
            subject=("consent", consent.id),
            by=by,
            sections={"act": Section(facts, person=by.person, purpose="consent")},
            audience=[by.member],
            payload={
                "consent": str(consent.id),
                "person": str(by.person),
                "member": str(by.member),
                "organisation": str(by.organisation),
                "purpose": purpose,
            },
            event_id=event_id,
        )
    return consent
