"""Every door of the API, seen by nobody and by an outsider."""

from collections.abc import Iterator

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from backend.core.ids import PREFIXES, new_id, to_typeid, typed
from tests.amending import proposal
from tests.contract.conftest import Story
from tests.phone import Json, Phone

# Who is not signed in may sign in, and read how.
OPEN_TO_ALL = {("api/v1/session/", "POST"), ("api/v1/schema/", "GET"), ("api/v1/docs/", "GET")}
ACTED_ON = (
    "order",
    "amendment",
    "production",
    "despatch",
    "alert",
    "organisation",
    "member",
    "invitation",
    "delegation",
    "device",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one, route)
        else:
            yield route, one


def _operations() -> list[tuple[str, str]]:
    found = []
    for route, pattern in _patterns(get_resolver()):
        if route.startswith("api/v1/"):
            view = pattern.callback.view_class  # type: ignore[union-attr]
            found += [(route, method) for method in METHODS if hasattr(view, method.lower())]
    return found


OPERATIONS = _operations()
READS = [route for route, method in OPERATIONS if method == "GET" and (route, method) not in OPEN_TO_ALL]
# These answer an outsider with what is the outsider's own, or everybody's.
OWN = {"api/v1/session/", "api/v1/consents/", "api/v1/logins/", "api/v1/carriers/"}
OWN |= {f"api/v1/{name}/" for name in ("organisations", "members", "invitations", "delegations", "devices")}


def _path(route: str, ids: dict[str, str]) -> str:
    path = "/" + route.replace("<int:offset>", "0")
    for name, value in ids.items():
        for kind in ("str", "path"):
            path = path.replace(f"<{kind}:{name}>", value)
    assert "<" not in path, f"give {path} an id that exists"
    return path


def test_the_walk_sees_the_whole_api() -> None:
    assert len(OPERATIONS) > 25
    assert set(OPEN_TO_ALL) <= set(OPERATIONS)
    assert set(READS) >= OWN


def test_who_is_not_signed_in_is_refused_everywhere_else(story: Story) -> None:
    for route, method in sorted(set(OPERATIONS) - OPEN_TO_ALL):
        for headers in ({}, {"Authorization": "Token 0000000000000000"}):
            path = _path(route, story.ids)
            answer = Client().generic(method, path, "{}", content_type="application/json", headers=headers)
            got = (answer.status_code, answer["Content-Type"], answer.json()["code"])
            assert got == (401, "application/problem+json", "not-authenticated"), (method, path)


def test_an_outsider_finds_nothing_of_the_story(story: Story) -> None:
    for route in sorted(set(READS) - OWN):
        path = _path(route, story.ids) + (f"?subject={story.receipt}" if route == "api/v1/vouchers/" else "")
        status, answer = story.stranger.get(path)
        if "<" in route or "?" in path:
            assert (status, answer["code"]) == (404, "not-found"), path
        else:
            assert (status, answer["results"]) == (200, []), path
        # The same question has an answer for whom it concerns, or this would prove nothing.
        status, answer = (story.officer if "alerts" in route else story.sales).get(path)
        assert status == 200, path
        assert answer.get("results") != [] or route == "api/v1/tasks/", path


def test_what_an_outsider_is_told_names_nothing_of_the_story(story: Story) -> None:
    cast = story.cast
    theirs = [typed("organisation", one.id) for one in (cast.buyer, cast.seller)]
    theirs += [typed("member", one.id) for one in (cast.clerk, cast.sales)]
    theirs += [value for name, value in story.ids.items() if name != "order_no"]
    for route in sorted(OWN):
        status, answer = story.stranger.get("/" + route)
        assert status == 200, answer
        assert not [one for one in theirs if one in str(answer)], route


def test_an_outsider_can_act_on_nothing_and_cannot_tell_what_is_there(story: Story) -> None:
    """A driver's work is refused by role before any document is looked for; that, too, tells nothing."""
    stranger = story.stranger
    act = stranger.order_act(story.order)
    proposed = proposal(story.sales, story.order, {"1": {"quantity": "7"}})
    absent = story.ids | {kind: to_typeid(PREFIXES[kind], new_id()) for kind in ACTED_ON}
    attempts: list[tuple[str, Json]] = [
        ("/api/v1/orders/{order}/signature", act),
        ("/api/v1/orders/{order}/confirmation", act),
        ("/api/v1/orders/{order}/rejection", {"reason": "no"}),
        ("/api/v1/orders/{order}/cancellation", {"reason": "no"}),
        ("/api/v1/orders/{order}/amendments", proposed),
        ("/api/v1/amendments/{amendment}/agreement", act),
        ("/api/v1/amendments/{amendment}/refusal", {"reason": "no"}),
        ("/api/v1/amendments/{amendment}/withdrawal", {}),
        ("/api/v1/despatches/{despatch}/milestones", {"kind": "ARRIVED", "capture": stranger.capture()}),
        ("/api/v1/productions/{production}/closure", {}),
        ("/api/v1/productions/{production}/cancellation", {"reason": "no"}),
        ("/api/v1/alerts/{alert}/acknowledgement", {"note": "seen"}),
        ("/api/v1/organisations/{organisation}/verification", {"method": "company_seal"}),
        ("/api/v1/organisations/{organisation}/verification/revocation", {"reason": "no"}),
        ("/api/v1/members/{member}/roles", {"roles": ["viewer"]}),
        ("/api/v1/members/{member}/revocation", {}),
        ("/api/v1/invitations/{invitation}/withdrawal", {}),
        ("/api/v1/delegations/{delegation}/revocation", {}),
        ("/api/v1/devices/{device}/revocation", {}),
    ]
    for path, body in attempts:
        there, nowhere = (_refusal(stranger, path.format(**ids), body) for ids in (story.ids, absent))
        assert there == nowhere, path
        assert there in {(404, "not-found"), (403, "forbidden")}, path


def _refusal(phone: Phone, path: str, body: Json) -> tuple[int, str]:
    status, answer = phone.post(path, body)
    return status, answer["code"]


def test_the_parts_of_an_upload_are_its_owners_alone(story: Story) -> None:
    path = f"/api/v1/uploads/{story.upload}/parts/0"
    status, answer = story.stranger.send("PUT", path, b"x", story.stranger.headers())
    assert (status, answer["code"]) == (404, "not-found")
