"""The public face of the ledger: C2SP tlog-tiles under /ledger/<chain>/, the policy, and each event's proof.

Nothing here is secret and nothing asks who reads: a leaf holds commitments alone. Only what lies below the published checkpoint is served,
so that what a reader once got never changes.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from backend.core.errors import DomainError, Malformed, NotFound
from backend.core.models import Event
from backend.core.problems import PROBLEM_JSON, problem
from backend.evidence.errors import LedgerUnreadable, NotPublished
from backend.evidence.models import LedgerOrigin
from backend.evidence.published import CHAINS, PublishedChain, chain_tiles, published_size
from backend.ledger.checkpoint import parse_size
from backend.ledger.commitment import parse_leaf
from backend.ledger.errors import Invalid, LedgerError, NotInitialised, TileMissing
from backend.ledger.note import encode_base64, parse_verifier
from backend.ledger.policy import render
from backend.ledger.proof import consistency_proof
from backend.ledger.tiles import parse_path

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
SHORT = "public, max-age=1"
LONG = "public, max-age=31536000, immutable"
RETRY_SECONDS = 2

View = Callable[..., HttpResponse]


def _public(view: View) -> View:
    """GET and HEAD only, readable from any site; a refusal is a problem+json, an unknown chain is not there."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            if arguments.get("chain", CHAINS[0]) not in CHAINS:
                raise NotFound()
            response = view(request, **arguments)
        except DomainError as error:
            response = JsonResponse(problem(error), status=error.status, content_type=PROBLEM_JSON)
            if "retry_after" in error.extensions:
                response["Retry-After"] = str(error.extensions["retry_after"])
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return answer


def _answer(body: bytes | str, content_type: str, cache: str) -> HttpResponse:
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": cache})


def _published(chain: str) -> PublishedChain:
    """The chain, under the key that the policy names. Raises NotFound before it was begun."""
    origin = LedgerOrigin.objects.filter(chain=chain).first()
    if origin is None:
        raise NotFound()
    return PublishedChain(chain, parse_verifier(origin.vkey))


@_public
def policy(request: HttpRequest) -> HttpResponse:
    """Whose signatures make a checkpoint worth believing (C2SP tlog-policy): both chains' keys, no witness yet."""
    vkeys = dict(LedgerOrigin.objects.values_list("chain", "vkey"))
    if not vkeys:
        raise NotFound()
    return _answer(
        render([parse_verifier(vkeys[chain]) for chain in CHAINS if chain in vkeys]), TEXT, "public, max-age=60"
    )


@_public
def checkpoint(request: HttpRequest, chain: str) -> HttpResponse:
    """The published checkpoint, as signed."""
    note = chain_tiles(chain).published()
    if note is None:
        raise NotFound()
    return _answer(note, TEXT, SHORT)


@_public
def tile(request: HttpRequest, chain: str, rest: str) -> HttpResponse:
    """A hash tile or an entry bundle that lies wholly below the published size. The path is read strictly: no other file has one."""
    try:
        if parse_path(f"tile/{rest}").end > published_size(chain):
            raise NotFound()
        return _answer(chain_tiles(chain).read(f"tile/{rest}"), BYTES, LONG)
    except TileMissing:
        raise NotFound() from None


@_public
def consistency(request: HttpRequest, chain: str) -> HttpResponse:
    """The proof that the tree of size `from` begins the tree of size `to` (RFC 6962 section 2.1.2): base64, one hash a line."""
    try:
        old, new = (parse_size(request.GET.get(name, "")) for name in ("from", "to"))
    except (ValueError, IndexError):
        raise Malformed("from and to are tree sizes, decimal without leading zeros.") from None
    size = published_size(chain)
    if not 0 <= old <= new <= size:
        raise Malformed(f"from is at most to, to at most the published size {size}.", size=size)
    try:
        proof = consistency_proof(chain_tiles(chain), old, new)
    except LedgerError:
        raise LedgerUnreadable() from None
    return _answer("".join(f"{encode_base64(digest)}\n" for digest in proof), TEXT, LONG)


@_public
def event_proof(request: HttpRequest, chain: str, event_id: UUID) -> HttpResponse:
    """The event's `.tlog-proof`: with the leaf and the key it is verified offline. 404 `not-published` with Retry-After until there is one."""
    published, index, _ = _anchored(chain, event_id)
    try:
        response = _answer(published.proof(index), TEXT, SHORT)
    except LedgerError:
        raise LedgerUnreadable() from None
    response["Content-Disposition"] = f'attachment; filename="{event_id}.tlog-proof"'
    return response


@_public
def event_leaf(request: HttpRequest, chain: str, event_id: UUID) -> HttpResponse:
    """The event's leaf, byte for byte as the ledger holds it: what the proof speaks of."""
    response = _answer(_anchored(chain, event_id)[2], BYTES, LONG)
    response["Content-Disposition"] = f'attachment; filename="{event_id}.leaf"'
    return response


def _anchored(chain: str, event_id: UUID) -> tuple[PublishedChain, int, bytes]:
    """The chain, the event's index in it, and the ledger's own bytes there. Raises NotFound, NotPublished, LedgerUnreadable."""
    row = Event.objects.filter(id=event_id, chain=chain).values_list("index").first()
    if row is None:
        raise NotFound()
    try:
        published = _published(chain)
        if row[0] is None or row[0] >= published.size:
            raise NotPublished(retry_after=RETRY_SECONDS)
        entry = published.proven_entry(row[0])
        if parse_leaf(entry).event_id != str(event_id):
            raise LedgerUnreadable("The ledger holds another event at this one's index.")
    except NotInitialised:
        raise NotPublished(retry_after=RETRY_SECONDS) from None
    except (Invalid, TileMissing):
        raise LedgerUnreadable() from None
    return published, row[0], entry
