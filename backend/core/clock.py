"""The one clock. Time is UTC and aware everywhere; only what a person sees is in Asia/Shanghai."""

from datetime import UTC, datetime, timedelta

# How long an act may wait on a phone: what the server keeps for it (a half-sent file, the answer to a write) it keeps for longer.
ACT_MAY_WAIT = timedelta(days=7)


def now() -> datetime:
    """The present moment, UTC, cut to milliseconds: what the wire and the ledger can carry is what the database keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def rfc3339(moment: datetime) -> str:
    """`2026-11-23T10:00:00.000Z`: RFC 3339 with exactly three decimals and `Z`. The moment must be aware."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no place on the wire")
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
