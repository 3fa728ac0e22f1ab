from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from backend.core.errors import DomainError
from backend.core.events import SYSTEM
from backend.parties.models import Organisation, OrganisationKind, Verification, VerificationMethod
from backend.parties.services import create_organisation, invite, verify_organisation


class Command(BaseCommand):
    """Begins an installation: the operator's own organisation, verified by whoever runs this server, and an invitation for its first
    administrator. Everybody else is enrolled by them, at the console.

    Run again while nobody has accepted, it gives a further code; afterwards it refuses.
    """

    help = "Adds the operator's organisation and invites its first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uscc", help="unified social credit code, 18 characters")
        parser.add_argument("name", help="the operator's name")
        parser.add_argument("administrator", help="the name of its first administrator")
        parser.add_argument("--name-en", default="", help="the operator's name in English")

    def handle(self, *, uscc: str, name: str, administrator: str, name_en: str, **options: object) -> None:
        try:
            with transaction.atomic():
                operator = self._operator(uscc, name, name_en)
                invited = invite(
                    by=SYSTEM, organisation=operator.id, name=administrator, roles=["admin", "risk_officer"]
                )
        except DomainError as refusal:
            raise CommandError(refusal.detail) from None
        until = f"{invited.invitation.expires_at:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{operator.name}: invitation code {invited.code}, until {until}.")
        self.stdout.write("Enter it at /console/invitation/ and choose a user name and a password.")

    def _operator(self, uscc: str, name: str, name_en: str) -> Organisation:
        found = Organisation.objects.filter(kind=OrganisationKind.OPERATOR).first()
        if found is None:
            found = create_organisation(
                by=SYSTEM, uscc=uscc, name=name, name_en=name_en, kind=OrganisationKind.OPERATOR
            )
        if found.uscc != uscc.strip().upper():
            raise CommandError(f"There is an operator already: {found.name}, {found.uscc}.")
        if found.verification != Verification.VERIFIED:
            verify_organisation(by=SYSTEM, organisation=found, method=VerificationMethod.BUSINESS_LICENCE)
        return found
