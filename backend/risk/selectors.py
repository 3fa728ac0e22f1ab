"""Facts for the rules, read from the rooms below, and alerts as far as the reader may see them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import TruncDate

from backend.core import clock
from backend.core.events import Actor
from backend.core.metrics import Reading
from backend.parties.models import Device, LoginRecord, Member, OrganisationKind, Person, SignInResult
from backend.parties.selectors import risk_watchers, watches_risk
from backend.risk.models import OPEN_STATES, Alert, AlertState, Severity
from backend.risk.rules import R27_WINDOW, R31_WINDOW, DeviceUse, PartyAct, ReceiptPlace, SignIns
from backend.trade.models import PurchaseOrder, Receipt, Signature

# --- facts --------------------------------------------------------------------------------------------------------------------------------


def receipt_place(receipt: Receipt) -> ReceiptPlace:
    """What R21 judges: distance and accuracy as they were taken at the signing, against the order's ship-to radius."""
    return ReceiptPlace(
        distance_m=receipt.distance_m if receipt.location_given else None,
        accuracy_m=receipt.accuracy_m,
        precision=receipt.precision_class,
        radius_m=receipt.order.radius_m,
    )


def device_use(device: UUID, at: datetime) -> DeviceUse:
    """What R27 judges: for whom the device signed or signed in within 90 days, and which of them trade with each other."""
    since = at - R27_WINDOW
    party = "organisation_id", "organisation__name", "organisation__name_en"
    signed = Signature.objects.filter(device=device, at__gte=since).values_list(*party).annotate(Max("at"))
    entered = (
        LoginRecord.objects.filter(device=device, result=SignInResult.OPENED, member__isnull=False, time__gte=since)
        .values_list(*(f"member__{name}" for name in party))
        .annotate(Max("time"))
    )
    acts = tuple(
        PartyAct(organisation, name, name_en or name, last) for organisation, name, name_en, last in [*signed, *entered]
    )
    parties = {act.organisation for act in acts}
    opposed = (
        PurchaseOrder.objects.filter(buyer__in=parties, seller__in=parties).values_list("buyer", "seller").distinct()
    )
    return DeviceUse(at=at, acts=acts, opposed=frozenset(opposed) if len(parties) > 1 else frozenset())


def device_members(device: UUID, at: datetime) -> set[UUID]:
    """The members who signed or signed in with the device within R27's 90 days."""
    since = at - R27_WINDOW
    signed = Signature.objects.filter(device=device, at__gte=since).values_list("member", flat=True)
    entered = LoginRecord.objects.filter(
        device=device, result=SignInResult.OPENED, member__isnull=False, time__gte=since
    )
    return set(signed) | set(entered.values_list("member", flat=True))


def sign_ins(record: LoginRecord, *, new_device: bool) -> SignIns:
    """What R31 judges: the refusals of the person, or of the source when nobody was recognised, up to this try."""
    whose = {"person": record.person_id} if record.person_id else {"person": None, "source": record.source}
    refused = LoginRecord.objects.filter(
        **whose, result=SignInResult.REFUSED, time__gte=record.time - R31_WINDOW, time__lte=record.time
    )
    return SignIns(at=record.time, refused=tuple(refused.values_list("time", flat=True)), new_device=new_device)


# --- who sees what ------------------------------------------------------------------------------------------------------------------------


def active_member(by: Actor) -> Member | None:
    """The member who acts, None when nobody does or they left."""
    return (
        Member.objects.select_related("organisation").filter(id=by.member, active=True).first() if by.member else None
    )


def visible_alerts(by: Actor) -> QuerySet[Alert]:
    """The alerts this member may see: a risk officer of the verified operator all of them, an endangered party its own, a suspected person none."""
    alerts = Alert.objects.select_related("order", "acknowledged_by__person", "acknowledged_by__organisation")
    member = active_member(by)
    if member is None:
        return alerts.none()
    if member.organisation.kind == OrganisationKind.OPERATOR:
        return alerts if watches_risk(member) else alerts.none()
    return alerts.filter(entitled=member.organisation_id).exclude(suspected__person=member.person_id)


def watchers(alert: Alert) -> list[UUID]:
    """The members who may be told of an alert: exactly those whom visible_alerts shows it."""
    active = Member.objects.filter(active=True)
    suspects = alert.suspected.values("person")
    others = active.filter(organisation__in=alert.entitled.all()).exclude(organisation__kind=OrganisationKind.OPERATOR)
    return [member.id for member in [*risk_watchers(), *others.exclude(person__in=suspects)]]


def subject_names(alerts: Iterable[Alert]) -> dict[UUID, str]:
    """What the subjects of alerts are called: a person's name, a handset's model, a receipt's number."""
    wanted: dict[str, set[UUID]] = {}
    for alert in alerts:
        if alert.subject_id:
            wanted.setdefault(alert.subject_type, set()).add(alert.subject_id)
    return {
        **dict(Person.objects.filter(id__in=wanted.get("person", ())).values_list("id", "name")),
        **dict(Device.objects.filter(id__in=wanted.get("device", ())).values_list("id", "model")),
        **dict(Receipt.objects.filter(id__in=wanted.get("receipt", ())).values_list("id", "receipt_no")),
    }


# --- figures ------------------------------------------------------------------------------------------------------------------------------


def alert_chart(by: Actor, days: int = 14) -> dict[str, list]:
    """How many alerts began on each of the last `days` days (as the calendar in China has them): {days: [ISO date], P1: [n], ... P4: [n]}."""
    zone = ZoneInfo(settings.TIME_ZONE)
    today = clock.now().astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    first = datetime.combine(dates[0], datetime.min.time(), tzinfo=zone)
    counted = (
        visible_alerts(by)
        .filter(first_seen__gte=first)
        .annotate(day=TruncDate("first_seen", tzinfo=zone))
        .values_list("day", "severity")
        .annotate(Count("id", distinct=True))
        .order_by()
    )
    found = {(day, severity): count for day, severity, count in counted}
    return {
        "days": [day.isoformat() for day in dates],
        **{severity: [found.get((day, severity), 0) for day in dates] for severity in Severity.values},
    }


def readings() -> Iterable[Reading]:
    """For /metrics: open alerts by severity, and how long the oldest P1 has waited for somebody to look, in seconds."""
    counted = dict(Alert.objects.filter(state__in=OPEN_STATES).values_list("severity").annotate(Count("id")).order_by())
    for severity in Severity.values:
        yield "yirong_alerts_open", "Alerts not closed", {"severity": severity}, counted.get(severity, 0)
    oldest = Alert.objects.filter(state=AlertState.NEW, severity=Severity.P1).aggregate(oldest=Min("first_seen"))[
        "oldest"
    ]
    waited = (clock.now() - oldest).total_seconds() if oldest else 0
    yield "yirong_oldest_p1_seconds", "Age of the oldest P1 alert that nobody acknowledged", {}, waited
