import json
import stat

import pytest
from django.core.management import CommandError, call_command
from stdnum.cn import uscc

from backend.core.models import Event
from backend.parties.models import Member, Organisation, Person, Site
from backend.trade.models import Despatch, PurchaseOrder, Signature

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(ledger):
    call_command("seed", "--demo")


def test_the_world_is_five_verified_firms_and_the_order_that_waits_to_be_signed(world):
    assert set(Organisation.objects.values_list("kind", "verification")) == {
        (kind, "VERIFIED") for kind in ("BUYER", "SELLER", "FACTORY", "CARRIER", "OPERATOR")
    }
    order = PurchaseOrder.objects.get()
    assert (order.order_no, order.state, order.total_fen) == ("PO-2026-0815", "ISSUED", 22_320_000)
    assert (order.buyer.kind, order.seller.kind, order.issued_by.person.name) == ("BUYER", "SELLER", "何川")
    assert Event.objects.get(type="order.issued").actor_member == order.issued_by_id


def test_every_code_has_its_check_digit_and_belongs_to_no_real_firm(world):
    for code in Organisation.objects.values_list("uscc", flat=True):
        assert uscc.is_valid(code)
        assert code[2:8] == "990000"


def test_nobody_has_signed_anything(world):
    assert not Signature.objects.exists()
    assert not Despatch.objects.exists()


def test_console_users_get_random_passwords_in_a_file_of_the_owners(world, data_dir):
    path = data_dir / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    users = {one["username"]: one for one in json.loads(path.read_text())["console"]}
    assert set(users) == {"wen.ning", "he.chuan", "su.qing"}
    assert len({one["password"] for one in users.values()}) == 3
    for name, one in users.items():
        assert Person.objects.get(username=name).check_password(one["password"])
        assert one["link"] == f"/demo/console?as={name.replace('.', '-')}"
    assert not Person.objects.get(name="陈黎").has_usable_password()


def test_seeding_again_changes_nothing(world, data_dir):
    def state():
        tables = (Organisation, Site, Person, Member, PurchaseOrder, Event)
        return [sorted(map(str, table.objects.values_list())) for table in tables], (data_dir / "demo.json").read_text()

    before = state()
    call_command("seed", "--demo")
    assert state() == before


def test_a_lost_password_file_is_made_anew_with_new_passwords(world, data_dir):
    (data_dir / "demo.json").unlink()
    call_command("seed", "--demo")
    for one in json.loads((data_dir / "demo.json").read_text())["console"]:
        assert Person.objects.get(username=one["username"]).check_password(one["password"])


def test_there_is_no_other_world(ledger):
    with pytest.raises(CommandError):
        call_command("seed")
    assert not Organisation.objects.exists()
