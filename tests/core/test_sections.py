import random
from functools import partial
from pathlib import Path

import pytest
from django.db import transaction

from backend.core import data_keys
from backend.core.data_keys import Erased, MasterKeyMissing
from backend.core.ids import new_id
from backend.core.models import DataKey, SealedSection
from backend.core.sections import Section, open_section
from tests.core.conftest import at_once, real_transactions, record

pytestmark = pytest.mark.django_db
SECRET = "13800138000"


def personal(**changes: object):
    person = new_id()
    section = Section({"phone": SECRET}, person=person, purpose="capture", scope="receipt:1")
    return person, record(sections={"capture": section, "document": Section({"no": "PO-1"})}, **changes)[0]


def test_a_section_opens_to_what_was_sealed_and_lies_unreadable_in_the_database() -> None:
    _, event = personal()
    assert open_section(event.id, "capture").content == {"phone": SECRET}
    assert len(open_section(event.id, "capture").salt) == 32
    for row in SealedSection.objects.filter(event=event):
        assert SECRET.encode() not in bytes(row.sealed) and b"PO-1" not in bytes(row.sealed)


def test_erasing_a_persons_key_erases_that_section_and_no_other() -> None:
    person, event = personal()
    key = DataKey.objects.get(person=person)
    assert data_keys.destroy(key.id) is True
    with pytest.raises(Erased):
        open_section(event.id, "capture")
    assert open_section(event.id, "document").content == {"no": "PO-1"}
    key.refresh_from_db()
    assert key.wrapped is None and key.destroyed_at is not None
    assert data_keys.destroy(key.id) is False


@pytest.mark.parametrize("field", ["sealed", "nonce"])
def test_a_changed_byte_is_noticed(field: str) -> None:
    _, event = personal()
    row = SealedSection.objects.get(event=event, name="capture")
    changed = bytearray(getattr(row, field))
    changed[-1] ^= 1
    SealedSection.objects.filter(id=row.id).update(**{field: bytes(changed)})
    with pytest.raises(ValueError, match="MAC"):
        open_section(event.id, "capture")


def test_a_section_does_not_open_in_the_place_of_another() -> None:
    first, second = personal()[1], personal()[1]
    taken = SealedSection.objects.get(event=second, name="capture")
    SealedSection.objects.filter(event=first, name="capture").update(
        sealed=bytes(taken.sealed), nonce=bytes(taken.nonce), data_key=taken.data_key
    )
    with pytest.raises(ValueError, match="MAC"):
        open_section(first.id, "capture")


def test_a_wrapped_key_does_not_unwrap_as_another() -> None:
    person, event = personal()
    other = data_keys.data_key(person=new_id(), purpose="capture", scope="receipt:1")
    DataKey.objects.filter(person=person).update(wrapped=bytes(other.wrapped))
    with pytest.raises(ValueError, match="MAC"):
        open_section(event.id, "capture")


def test_without_the_master_key_nothing_opens_and_the_missing_file_is_named(data_dir: Path) -> None:
    _, event = personal()
    (master,) = (data_dir / "keys" / "master").iterdir()
    assert master.stat().st_mode & 0o777 == 0o600 and len(master.read_bytes()) == 32
    master.unlink()
    data_keys._master.cache_clear()
    with pytest.raises(MasterKeyMissing, match=master.name):
        open_section(event.id, "capture")
    data_keys.newest_master.cache_clear()
    with pytest.raises(MasterKeyMissing):
        personal()


def test_a_new_master_key_wraps_from_now_on_and_the_old_one_still_opens(data_dir: Path) -> None:
    _, before = personal()
    name = data_keys.create_master_key()
    person, after = personal()
    assert DataKey.objects.get(person=person).master == name
    assert open_section(before.id, "capture").content == open_section(after.id, "capture").content


@real_transactions
def test_two_who_need_a_key_at_once_get_the_same_one(sequences: None) -> None:
    person = new_id()
    keys: list[bytes] = []

    def ask() -> None:
        keys.append(data_keys.unwrap(data_keys.data_key(person=person, purpose="capture", scope="x")))

    assert at_once(*[ask] * 6) == []
    assert len(keys) == 6 and len(set(keys)) == 1 and DataKey.objects.filter(person=person).count() == 1


@real_transactions
def test_many_who_need_several_keys_at_once_get_the_same_ones(sequences: None) -> None:
    for _ in range(15):
        person = new_id()
        wanted = [(person, "capture", f"scope {n}") for n in range(6)]
        made: list[dict] = []

        def ask(order: list, made: list[dict] = made) -> None:
            with transaction.atomic():
                made.append({one: (key.row.id, key.key) for one, key in data_keys.open_keys(order).items()})

        assert at_once(*[partial(ask, random.sample(wanted, len(wanted))) for _ in range(4)]) == []
        assert made[0].keys() == set(wanted) and made.count(made[0]) == 4
        assert DataKey.objects.filter(person=person).count() == 6
