"""A pallet stands for any document of the trade: seller and buyer see it, the outsider does not."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from PIL import Image

from backend.core.errors import NotFound
from backend.core.events import SYSTEM, Actor, emit
from backend.core.ids import PREFIXES, new_id, to_typeid
from backend.core.models import Event, Sequence
from backend.core.sections import Section
from backend.evidence import subjects
from backend.parties.models import Device, Member, Organisation, Person, Session

Json = dict[str, Any]
CHUNK = 1024 * 1024


@dataclass
class Hand:
    """A member with a phone, as far as files go."""

    member: Member
    token: str
    client: Client = field(default_factory=Client)

    @property
    def actor(self) -> Actor:
        return Actor(
            person=self.member.person_id,
            member=self.member.id,
            organisation=self.member.organisation_id,
            assurance="L2",
        )

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.auth)

    def post(self, path: str, body: Json) -> Any:
        headers = self.auth | {"Idempotency-Key": str(new_id())}
        return self.client.post(path, body, content_type="application/json", headers=headers)

    def announce(self, data: bytes, mime: str = "image/jpeg", **changes: Any) -> Any:
        body = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "filename": "送货单 1.jpg",
            "mime": mime,
            "source": "camera",
            "captured_at": "2026-11-23T10:00:00.000Z",
        }
        return self.post("/api/v1/uploads/", body | changes)

    def part(self, upload: str, offset: int, data: bytes) -> Any:
        path = f"/api/v1/uploads/{upload}/parts/{offset}"
        return self.client.put(path, data, content_type="application/octet-stream", headers=self.auth)

    def send(self, data: bytes, mime: str = "image/jpeg", **changes: Any) -> Any:
        """Announces and sends all parts; the answer to the last one."""
        answer = self.announce(data, mime, **changes)
        assert answer.status_code == 201, answer.content
        for offset in range(0, len(data), CHUNK):
            last = self.part(answer.json()["id"], offset, data[offset : offset + CHUNK])
        return last

    def attach(self, upload: str, subject: str, kind: str = "delivery_document") -> Any:
        return self.post("/api/v1/vouchers/", {"upload": upload, "kind": kind, "subject": subject})

    def attached(self, data: bytes, subject: str, mime: str = "image/jpeg", **changes: Any) -> Json:
        """The voucher of a file that was sent and attached."""
        answer = self.attach(self.send(data, mime, **changes).json()["id"], subject)
        assert answer.status_code == 201, answer.content
        voucher: Json = answer.json()
        return voucher


def _hand(name: str, kind: str, number: int) -> Hand:
    """A member of an organisation of their own, signed in on a phone."""
    firm = Organisation.objects.create(uscc=f"91310115MA1TEST{number:03d}", name=f"{name} Ltd", kind=kind)
    person = Person.objects.create_user(name=name)
    of = Member.objects.create(person=person, organisation=firm, roles=["signer"])
    phone = {"model": "Test", "system": "1", "platform": "h5", "sdk_version": "3"}
    device = Device.objects.create(public_key=bytes([number]) * 32, registered_by=of, **phone)
    _, token = Session.objects.create(user=person, member=of, device=device)
    return Hand(of, token)


# On real transactions. Naming all apps lets the flush afterwards cascade: a table of knox that this product does not use refers to ours.
real_transactions = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture
def sequences(transactional_db: None) -> None:
    """What a test on real transactions needs: the flush after the one before it took the counters away."""
    for name, first in {"position": 1, "supply": 0, "asset": 0}.items():
        Sequence.objects.get_or_create(name=name, defaults={"next": first})


@pytest.fixture
def clerk(db: None) -> Hand:
    return _hand("Clerk", "BUYER", 1)


@pytest.fixture
def sales(db: None) -> Hand:
    return _hand("Sales", "SELLER", 2)


@pytest.fixture
def stranger(db: None) -> Hand:
    return _hand("Stranger", "BUYER", 3)


@pytest.fixture
def pallet(monkeypatch: pytest.MonkeyPatch, clerk: Hand, sales: Hand) -> str:
    """The TypeID of a pallet that the buyer and the seller see."""
    there = new_id()
    parties = (clerk.member.organisation_id, sales.member.organisation_id)

    def resolve(by: Actor, subject_id: UUID) -> subjects.Subject:
        if subject_id != there or by.organisation not in parties:
            raise NotFound()
        return subjects.Subject(there, None, parties)

    monkeypatch.setitem(subjects._kinds, "pallet", ("plt", resolve))
    monkeypatch.setitem(PREFIXES, "pallet", "plt")
    return to_typeid("plt", there)


@pytest.fixture
def happen(db: None) -> Callable[..., list[Event]]:
    """Records events of the supply chain, one a subject of its own."""

    def happen(count: int = 1, **changes: Any) -> list[Event]:
        given = {
            "type": "test.happened",
            "chain": "supply",
            "by": SYSTEM,
            "sections": {"document": Section({"amount": "1.00"})},
        }
        with transaction.atomic():
            return [emit(**(given | {"subject": ("pallet", new_id())} | changes)) for _ in range(count)]

    return happen


def photograph(width: int = 640, height: int = 480, format: str = "JPEG", exif: Image.Exif | None = None) -> bytes:
    """A picture with something on it, so that it does not shrink to nothing."""
    picture = Image.effect_noise((width, height), 60).convert("RGB")
    data = io.BytesIO()
    picture.save(data, format, **({} if exif is None else {"exif": exif}))
    return data.getvalue()


def placed(width: int = 640, height: int = 480) -> bytes:
    """A photograph that says where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.4), 3: "E", 4: (121.0, 28.0, 25.3)})
    return photograph(width, height, exif=exif)


def pdf(body: bytes = b"1 0 obj\n<< /Type /Catalog >>\nendobj\n") -> bytes:
    head = b"%PDF-1.4\n" + body
    return head + b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 1 >>\nstartxref\n%d\n%%%%EOF\n" % len(head)
