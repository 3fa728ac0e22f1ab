import json
import os
import secrets
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from backend.console import world
from backend.core.events import SYSTEM, Actor
from backend.parties.models import Member, Organisation, Person
from backend.parties.services import add_site, create_organisation, enrol_member, verify_organisation
from backend.trade.models import PurchaseOrder
from backend.trade.services import issue_order

PASSWORD_BYTES = 15


class Command(BaseCommand):
    """Fills an installation with the demonstration's world, through the same services as everybody: nothing in it is signed.

    Run again it adds what is missing and changes nothing else.
    """

    help = "The demonstration's firms, people and first order (--demo)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="the demonstration's world; there is no other seed")

    def handle(self, *, demo: bool, **options: object) -> None:
        if not demo:
            raise CommandError("Say --demo: there is no other world to seed.")
        with transaction.atomic():
            firms = {firm.key: _firm(firm) for firm in world.FIRMS}
            members = {someone.key: _member(someone, firms[someone.firm]) for someone in world.PEOPLE}
            _verify({"operator": firms["operator"]}, by=SYSTEM)
            _verify(firms, by=_actor(members["wen-ning"]))
            order = _order(firms, by=_actor(members["he-chuan"]))
        people = _sign_in_names()
        self.stdout.write(
            f"{len(firms)} firms, {len(members)} people, order {order.order_no}; console users in {people}"
        )


def _actor(member: Member) -> Actor:
    return Actor(person=member.person_id, member=member.id, organisation=member.organisation_id, simulated=True)


def _firm(firm: world.Firm) -> Organisation:
    organisation = Organisation.objects.filter(uscc=firm.uscc).order_by("id").first()
    if organisation is None:
        organisation = create_organisation(uscc=firm.uscc, name=firm.name, name_en=firm.name_en, kind=firm.kind)
    for place in firm.places:
        if not organisation.sites.filter(name=place.name).exists():
            add_site(
                organisation=organisation,
                name=place.name,
                address=place.address,
                latitude=Decimal(place.at.latitude),
                longitude=Decimal(place.at.longitude),
                radius_m=place.radius_m,
            )
    return organisation


def _member(someone: world.Someone, organisation: Organisation) -> Member:
    known = {"username": someone.username} if someone.username else {"openid": someone.openid}
    person = Person.objects.filter(**known).first()
    if person is None:
        person = Person.objects.create_user(
            name=someone.name, name_en=someone.name_en, username=someone.username, openid=someone.openid
        )
    member = Member.objects.filter(person=person, organisation=organisation).first()
    return member or enrol_member(by=SYSTEM, person=person, organisation=organisation, roles=list(someone.roles))


def _verify(firms: dict[str, Organisation], *, by: Actor) -> None:
    for organisation in firms.values():
        if organisation.verification != "VERIFIED":
            verify_organisation(by=by, organisation=organisation, method="demonstration")


def _order(firms: dict[str, Organisation], *, by: Actor) -> PurchaseOrder:
    found = PurchaseOrder.objects.filter(buyer=firms["buyer"], order_no=world.ORDER_NO).first()
    return found or issue_order(
        by=by,
        order_no=world.ORDER_NO,
        buyer=firms["buyer"].id,
        seller=firms["seller"].id,
        lines=[world.RICE_COOKERS],
        ship_to=world.SHIP_TO,
        payment_days=world.PAYMENT_DAYS,
        payment_from="receipt",
        contract_no=world.CONTRACT_NO,
    )


def _sign_in_names() -> Path:
    """Gives each console user a random password, once, and keeps it in DATA_DIR/demo.json (mode 0600) with the link that needs none."""
    path = Path(settings.DATA_DIR) / "demo.json"
    users = {one["username"]: one for one in json.loads(path.read_text())["console"]} if path.exists() else {}
    for someone in (one for one in world.PEOPLE if one.username):
        person = Person.objects.get(username=someone.username)
        if someone.username in users and person.has_usable_password():
            continue
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        person.set_password(password)
        person.save(update_fields=["password"])
        users[str(someone.username)] = {
            "username": someone.username,
            "password": password,
            "name": someone.name,
            "link": f"/demo/console?as={someone.key}",
        }
    _write_private(path, json.dumps({"console": list(users.values())}, ensure_ascii=False, indent=2) + "\n")
    return path


def _write_private(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
