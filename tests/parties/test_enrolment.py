from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from backend.core.errors import Malformed
from backend.core.events import SYSTEM
from backend.parties import services
from backend.parties.errors import AlreadyMember, AlreadyVerified, UsccInvalid
from backend.parties.models import Member, Organisation, Person, Verification
from backend.parties.usernames import canonical_username


def test_a_code_is_kept_in_one_form(db):
    assert (
        services.create_organisation(uscc="9131 0115 ma1lqyx08m", name="澜桥", kind="BUYER").uscc
        == "91310115MA1LQYX08M"
    )


@pytest.mark.parametrize(
    "code", ["", "91310115MA1LQYX08N", "9131015MA1LQYX08M", "91310115MA1LQYX08M1", "91310115MI1LQYX08M", "公司"]
)
def test_a_code_with_a_wrong_check_digit_or_form_is_refused(db, code):
    with pytest.raises(UsccInvalid) as refusal:
        services.create_organisation(uscc=code, name="x", kind="BUYER")
    assert refusal.value.errors[0]["field"] == "uscc"
    assert not Organisation.objects.exists()


def test_many_may_claim_a_code_and_one_is_verified(people):
    copy = services.create_organisation(uscc=people.buyer.uscc, name="假澜桥", kind="BUYER")
    services.verify_organisation(by=SYSTEM, organisation=people.buyer, method="business_licence")
    with pytest.raises(AlreadyVerified):
        services.verify_organisation(by=SYSTEM, organisation=copy, method="business_licence")
    copy.refresh_from_db()
    assert (people.buyer.verification, copy.verification) == (Verification.VERIFIED, Verification.CLAIMED)


def test_verified_without_saying_how_is_impossible(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        Organisation.objects.filter(id=people.buyer.id).update(verification=Verification.VERIFIED)


def test_a_site_off_the_globe_is_impossible(people):
    site = {"organisation": people.buyer, "name": "x", "address": "x", "longitude": Decimal(121), "radius_m": 300}
    services.add_site(**site, latitude=Decimal("31.23"))
    with pytest.raises(IntegrityError), transaction.atomic():
        services.add_site(**(site | {"name": "y"}), latitude=Decimal("90.0000001"))


def test_a_person_is_enrolled_once_with_roles_that_exist(people):
    person = Person.objects.create_user(name="新人")
    member = services.enrol_member(by=SYSTEM, person=person, organisation=people.buyer, roles=["signer", "viewer"])
    assert (member.organisation, member.roles) == (people.buyer, ["signer", "viewer"])
    with pytest.raises(AlreadyMember):
        services.enrol_member(by=SYSTEM, person=person, organisation=people.buyer, roles=["viewer"])
    for roles in (["king"], []):
        with pytest.raises(Malformed):
            services.enrol_member(by=SYSTEM, person=person, organisation=people.outsider, roles=roles)
    assert Member.objects.filter(person=person).count() == 1


def test_a_person_without_a_password_cannot_use_one(people):
    person = Person.objects.create_user(name="新人", username="New.One")
    assert person.username == "new.one" and not person.has_usable_password()


@pytest.mark.parametrize("text", ["ﬀ", "Straße", "İstanbul", "ＡＢＣ", " ab ", "ſ", "Å"])
def test_the_canonical_form_of_a_username_is_its_own_canonical_form(text):
    assert canonical_username(canonical_username(text)) == canonical_username(text)
