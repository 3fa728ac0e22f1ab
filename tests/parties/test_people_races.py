"""Two at once, on connections of their own: one invitation, the last two administrators, one guess too many."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from backend.core.errors import DomainError
from backend.core.events import SYSTEM
from backend.parties import services
from backend.parties.models import Invitation, Member, Person
from backend.parties.services.invitations import accept_invitation, find_invitation
from tests.parties.test_revocation import acting

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> list[str]:
    """Runs each in a thread of its own, all begun together; what became of each: its error's code, or `done`."""
    gate, outcomes = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
            outcomes.append("done")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


def test_one_invitation_accepted_by_two_at_once_makes_one_member(people):
    invited = services.invite(by=acting(people.admin), name="新来", roles=["viewer"])
    guests = [Person.objects.create_user(name=f"客{number}") for number in range(2)]

    def accept(person: Person) -> None:
        found = find_invitation(invited.code)
        with transaction.atomic():
            accept_invitation(by=SYSTEM, invitation=found, person=person)

    outcomes = at_once(*(lambda person=person: accept(person) for person in guests))
    assert outcomes == ["done", "invitation-invalid"]
    assert Member.objects.filter(person__in=guests).count() == 1


def test_two_administrators_who_revoke_one_another_leave_one(people):
    Member.objects.filter(id=people.clerk.id).update(roles=["admin"])
    both = [people.admin, Member.objects.get(id=people.clerk.id)]
    outcomes = at_once(
        *(
            lambda one=one, other=other: services.revoke_member(by=acting(one), member_id=other.id)
            for one, other in (both, both[::-1])
        )
    )
    assert outcomes in (["done", "forbidden"], ["done", "not-found"])
    assert Member.objects.filter(id__in=[one.id for one in both], active=True).count() == 1


def test_many_guesses_at_once_are_bounded_like_guesses_in_a_row(people):
    invited = services.invite(by=acting(people.admin), name="新来", roles=["viewer"])
    wrong = invited.code[:-1] + ("A" if invited.code[-1] != "A" else "B")
    assert set(at_once(*[lambda: find_invitation(wrong)] * 8)) == {"invitation-invalid"}
    assert Invitation.objects.get().tries == 5
