"""Organisations: added by the operator, found to be who they claim to be, and how; taken back with a reason."""

import io

import pytest
from django.core.management import CommandError, call_command

from backend.core.errors import Forbidden
from backend.core.events import SYSTEM
from backend.core.ids import typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties import services
from backend.parties.errors import AlreadyVerified, NotVerified, UsccInvalid, VerifiedBefore
from backend.parties.models import Organisation, OrganisationVerification, Verification
from tests.cast import Cast, make_cast, member, office, organisation, phone_of

pytestmark = pytest.mark.django_db
CODE = "91310115MA1LQYX08M"


@pytest.fixture
def cast(ledger) -> Cast:
    return make_cast()


@pytest.fixture
def operator(cast: Cast):
    return member(cast.operator, "Founder", "admin")


def create(by, **changes):
    return services.create_organisation(by=by, **({"uscc": CODE, "name": "新公司", "kind": "SELLER"} | changes))


def test_the_operator_adds_an_organisation_that_is_only_claimed(cast, operator):
    made = create(office(operator))
    assert (made.verification, made.uscc) == (Verification.CLAIMED, CODE)
    event = Event.objects.get(type="organisation.created")
    assert open_section(event.id, "act").content["uscc"] == CODE
    assert event.payload == {"organisation": str(made.id)}


@pytest.mark.parametrize("who", ["office", "stranger", "risk", "clerk"])
def test_nobody_else_adds_or_verifies_one(cast, who):
    by = office(getattr(cast, who))
    before = Organisation.objects.count()
    claimed = organisation("91310115MA1TEXTQ6", "Claimed", "SELLER", Verification.CLAIMED)
    with pytest.raises(Forbidden):
        create(by)
    with pytest.raises(Forbidden):
        services.verify_organisation(by=by, organisation=claimed, method="company_seal")
    with pytest.raises(Forbidden):
        services.unverify_organisation(by=by, organisation=cast.seller, reason="no")
    claimed.refresh_from_db()
    assert (Organisation.objects.count(), claimed.verification) == (before + 1, Verification.CLAIMED)
    assert not Event.objects.exists()


def test_an_operator_who_is_only_claimed_decides_nothing(cast, operator):
    Organisation.objects.filter(id=cast.operator.id).update(verification="CLAIMED", verified_method="")
    with pytest.raises(Forbidden):
        create(office(operator))


def test_a_wrong_check_digit_adds_nothing(cast, operator):
    with pytest.raises(UsccInvalid):
        create(office(operator), uscc=CODE[:-1] + "N")
    assert not Event.objects.exists()


@pytest.mark.parametrize("method", ["business_licence", "bank_transfer", "company_seal"])
def test_a_verification_keeps_how_by_whom_and_where_the_proof_lies(cast, operator, method):
    made = create(office(operator))
    row = services.verify_organisation(
        by=office(operator), organisation=made, method=method, reference="2026-11-03 / 0.37"
    )
    assert (made.verification, made.verified_method, made.verified_by) == ("VERIFIED", method, operator)
    told = open_section(Event.objects.get(type="organisation.verified").id, "act").content
    assert (told["method"], told["reference"], told["level"]) == (method, "2026-11-03 / 0.37", "VERIFIED")
    assert told["verified_by"] == typed("member", operator.id)
    assert row.verified_by == operator


def test_a_verification_is_taken_back_with_a_reason_and_given_again(cast, operator):
    made, by = create(office(operator)), office(operator)
    services.verify_organisation(by=by, organisation=made, method="company_seal")
    with pytest.raises(VerifiedBefore):
        services.verify_organisation(by=by, organisation=made, method="bank_transfer")
    services.unverify_organisation(by=by, organisation=made, reason=" The licence was withdrawn. ")
    assert (made.verification, made.verified_method, made.verified_by) == ("CLAIMED", "", None)
    with pytest.raises(NotVerified):
        services.unverify_organisation(by=by, organisation=made, reason="again")
    told = open_section(Event.objects.get(type="organisation.unverified").id, "act").content
    assert (told["level"], told["reason"]) == ("CLAIMED", "The licence was withdrawn.")
    services.verify_organisation(by=by, organisation=made, method="bank_transfer")
    kept = list(OrganisationVerification.objects.order_by("id").values_list("method", "reason"))
    assert kept == [("company_seal", "The licence was withdrawn."), ("bank_transfer", "")]


def test_the_operator_does_not_take_back_its_own(cast, operator):
    with pytest.raises(Forbidden):
        services.unverify_organisation(by=office(operator), organisation=cast.operator, reason="no")
    cast.operator.refresh_from_db()
    assert (cast.operator.verification, Event.objects.exists()) == ("VERIFIED", False)


def test_a_copy_of_a_verified_code_is_not_verified(cast, operator):
    first, copy = create(office(operator)), create(office(operator), name="假公司")
    services.verify_organisation(by=SYSTEM, organisation=first, method="business_licence")
    with pytest.raises(AlreadyVerified):
        services.verify_organisation(by=office(operator), organisation=copy, method="business_licence")
    assert Event.objects.filter(type="organisation.verified").count() == 1


def test_by_the_api_the_operator_sees_all_and_others_their_own(cast, operator):
    phone, other = phone_of(operator), phone_of(cast.clerk)
    status, made = phone.post("/api/v1/organisations/", {"uscc": CODE, "name": "新公司", "kind": "SELLER"})
    assert (status, made["verification"], made["verifications"]) == (201, "CLAIMED", [])
    path = f"/api/v1/organisations/{made['id']}/verification"
    status, answer = phone.post(path, {"method": "demonstration"})
    assert (status, answer["code"]) == (400, "invalid")
    status, answer = phone.post(path, {"method": "bank_transfer", "reference": "T-1"})
    assert (status, answer["verification"]) == (201, "VERIFIED")
    assert answer["verifications"][0]["verified_by"] == typed("organisation", cast.operator.id)
    status, answer = phone.post(f"{path}/revocation", {"reason": "a mistake"})
    assert (status, answer["verification"], answer["verifications"][0]["reason"]) == (201, "CLAIMED", "a mistake")

    assert len(phone.get("/api/v1/organisations/")[1]["results"]) == 6
    (own,) = other.get("/api/v1/organisations/")[1]["results"]
    assert own["id"] == typed("organisation", cast.buyer.id)
    assert other.post(path, {"method": "bank_transfer"})[0] == 404
    own_path = f"/api/v1/organisations/{own['id']}/verification/revocation"
    assert other.post(own_path, {"reason": "no"})[0] == 403
    assert Organisation.objects.get(id=cast.buyer.id).verification == "VERIFIED"


def test_a_verification_rewritten_by_hand_is_found_by_the_audit(cast, operator, drain):
    made = create(office(operator))
    services.verify_organisation(by=office(operator), organisation=made, method="company_seal")
    drain()
    call_command("ledger", "audit", stdout=io.StringIO())
    OrganisationVerification.objects.update(method="bank_transfer")
    with pytest.raises(CommandError):
        call_command("ledger", "audit", stdout=io.StringIO(), stderr=io.StringIO())
