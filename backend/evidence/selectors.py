"""What is read here, each time within what the actor may see: uploads, vouchers, events, and how far the ledger has come."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypedDict
from uuid import UUID

import structlog
from django.db.models import OuterRef, Subquery

from backend.core.errors import NotFound
from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.models import Event
from backend.evidence import errors, subjects, vault
from backend.evidence.models import Checkpoint, LedgerOrigin, Upload, Voucher
from backend.evidence.published import published_size
from backend.ledger.errors import NotInitialised
from backend.parties.selectors import audits, member_of

log = structlog.get_logger(__name__)

# What a voucher is fetched with to be shown.
RENDERED = ("file__data_key", "organisation")


class Anchor(TypedDict):
    """Where an event stands, as the wire has it.

    `waiting`; `on_chain`, committed at `index`; `anchored`, below the published checkpoint, with a proof to fetch at `proof_url`.
    """

    event: str
    state: str
    chain: str | None
    index: int | None
    proof_url: str | None


def anchors(event_ids: Iterable[UUID]) -> dict[UUID, Anchor]:
    """The anchor of each of these events, in one query. State is derived from index and sizes, never stored.

    An event that is not there waits, and all do where nothing published can be read: what is wrong is for the audit to say.
    """
    asked = set(event_ids)
    if not asked:
        return {}
    committed = Checkpoint.objects.filter(chain=OuterRef("chain")).order_by("-size").values("size")[:1]
    rows = Event.objects.filter(id__in=asked).annotate(committed=Subquery(committed))
    published: dict[str, int] = {}
    found = {one: _anchor(one, None, None, 0, 0) for one in asked}
    for event_id, chain, index, size in rows.values_list("id", "chain", "index", "committed"):
        if chain is not None and chain not in published:
            published[chain] = published_size(chain)
        found[event_id] = _anchor(event_id, chain, index, size or 0, published.get(chain or "", 0))
    return found


def waiting_anchor(event: Event) -> Anchor:
    """The anchor of an event of the present transaction: it has no place in the ledger before the commit."""
    return _anchor(event.id, event.chain, None, 0, 0)


def _anchor(event_id: UUID, chain: str | None, index: int | None, committed: int, published: int) -> Anchor:
    state, proof_url = "waiting", None
    if index is not None and index < published:
        state, proof_url = "anchored", f"/ledger/{chain}/events/{event_id}/proof"
    elif index is not None and index < committed:
        state = "on_chain"
    place = None if state == "waiting" else index
    return Anchor(event=typed("event", event_id), state=state, chain=chain, index=place, proof_url=proof_url)


@cache
def ledger_origin(chain: str) -> str:
    """The origin under which a chain signs: `<LEDGER_ORIGIN>/<chain>`. Once begun it never changes, so a process reads it once.

    Raises NotInitialised.
    """
    found = LedgerOrigin.objects.filter(chain=chain).values_list("origin", flat=True).first()
    if found is None:
        raise NotInitialised(f"the chain {chain} has no origin yet")
    return found


def own_upload(by: Actor, upload_id: UUID) -> Upload:
    """The actor's own upload. Raises NotFound for an absent one and for another person's alike."""
    own = Upload.objects.select_related("file__data_key").filter(person=by.person, organisation=by.organisation)
    found = own.filter(id=upload_id).first()
    if found is None:
        raise NotFound()
    return found


def voucher_for(by: Actor, voucher_id: UUID) -> Voucher:
    """A voucher of a document that the actor may see. Raises NotFound."""
    found = Voucher.objects.select_related(*RENDERED).filter(id=voucher_id).first()
    if found is None:
        raise NotFound()
    if found.kind in subjects.resolve(by, found.subject_type, found.subject_id).unseen:
        raise NotFound()
    return found


def original_for(by: Actor, voucher_id: UUID) -> tuple[Voucher, bytes]:
    """A voucher's file as it was brought. Raises NotFound, OriginalHoldsPlace, data_keys.Erased; ValueError for a file that was changed.

    Exact places are their own side's, and auditors', whose reading is logged.
    """
    voucher = voucher_for(by, voucher_id)
    data = vault.original(voucher.file)
    if _tells_place_of_others(voucher, by):
        if not _sees_places(by):
            raise errors.OriginalHoldsPlace(view_url=_address(voucher, "view"))
        log.info("an original that holds a place was handed out", voucher=str(voucher.id), member=str(by.member))
    return voucher, data


def _tells_place_of_others(voucher: Voucher, by: Actor) -> bool:
    return voucher.organisation_id != by.organisation and vault.holds_place(voucher.file)


def _sees_places(by: Actor) -> bool:
    member = member_of(by)
    return member is not None and audits(member)


def voucher_cards(
    kind: str, subject_ids: Sequence[UUID], unseen: Sequence[str] = (), *, by: Actor
) -> list[dict[str, Any]]:
    """The vouchers of these documents as the wire has them, oldest first, without the kinds `unseen`.

    Whoever calls has checked that the actor may see the documents.
    """
    found = Voucher.objects.select_related(*RENDERED).filter(subject_type=kind, subject_id__in=subject_ids)
    return render_vouchers(list(found.exclude(kind__in=unseen).order_by("id")), by)


def render_vouchers(vouchers: Sequence[Voucher], by: Actor) -> list[dict[str, Any]]:
    """Vouchers as the wire has them for an actor, with their anchors (one query for all). Fetched with RENDERED."""
    known = anchors(voucher.event_id for voucher in vouchers)
    held = {voucher.id for voucher in vouchers if _tells_place_of_others(voucher, by)}
    if held and _sees_places(by):
        held = set()
    return [_render_voucher(voucher, known[voucher.event_id], voucher.id not in held) for voucher in vouchers]


def _address(voucher: Voucher, what: str) -> str:
    return f"/api/v1/vouchers/{typed('voucher', voucher.id)}/{what}"


def _render_voucher(voucher: Voucher, anchor: Anchor, with_original: bool) -> dict[str, Any]:
    return {
        "id": typed("voucher", voucher.id),
        "kind": voucher.kind,
        "subject": subjects.typed_subject(voucher.subject_type, voucher.subject_id),
        "filename": voucher.filename,
        "mime": voucher.file.mime,
        "size": voucher.file.size,
        "sha256": voucher.file.sha256,
        "source": voucher.source,
        "created_at": voucher.created_at,
        "organisation": {
            "id": typed("organisation", voucher.organisation_id),
            "name": voucher.organisation.name,
            "name_en": voucher.organisation.name_en,
        },
        "view_url": _address(voucher, "view"),
        "content_url": _address(voucher, "content") if with_original else None,
        "anchor": anchor,
    }


def event_for(by: Actor, event_id: UUID) -> Event:
    """An event whose audience the actor belongs to, or that his organisation caused. Raises NotFound."""
    found = Event.objects.filter(id=event_id).first()
    callers = {str(one) for one in (by.organisation, by.member) if one}
    if found is None or not callers & {*found.audience, str(found.actor_organisation)}:
        raise NotFound()
    return found
