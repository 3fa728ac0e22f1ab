import io

import pytest
from django.core.management import CommandError, call_command

from backend.parties.models import Invitation, Member, Organisation, Person
from backend.parties.services.invitations import find_invitation

pytestmark = pytest.mark.django_db
USCC = "91310115MA1LQYX08M"


def run(uscc: str = USCC) -> str:
    out = io.StringIO()
    call_command("operator", uscc, "翼融运营", "温宁", stdout=out)
    return out.getvalue()


def code_of(text: str) -> str:
    return text.split("invitation code ")[1].split(",")[0]


def test_an_installation_begins_with_its_operator_and_a_code_for_the_first_administrator(ledger):
    text = run()
    operator = Organisation.objects.get()
    assert (operator.kind, operator.verification, operator.verified_by) == ("OPERATOR", "VERIFIED", None)
    invitation = find_invitation(code_of(text))
    assert (invitation.roles, invitation.organisation) == (["risk_officer", "admin"], operator)


def test_run_again_it_gives_a_further_code_until_somebody_has_accepted(ledger):
    assert code_of(run()) != code_of(run())
    assert (Organisation.objects.count(), Invitation.objects.count()) == (1, 2)
    person = Person.objects.create_user(name="温宁")
    Member.objects.create(person=person, organisation=Organisation.objects.get(), roles=["admin"])
    with pytest.raises(CommandError):
        run()
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize("uscc", ["91310115MA1LQYX08N", "x"])
def test_a_wrong_code_begins_nothing(ledger, uscc):
    with pytest.raises(CommandError):
        run(uscc)
    assert not Organisation.objects.exists()


def test_there_is_one_operator(ledger):
    run()
    with pytest.raises(CommandError):
        run("91440300MA5EXYW124")
    assert Organisation.objects.count() == 1
