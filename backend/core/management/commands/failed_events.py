from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.core import events
from backend.core.clock import rfc3339
from backend.core.ids import typed
from backend.core.models import FailedEvent


class Command(BaseCommand):
    help = "Events that a subscriber could not handle five times: list them, or hand them over once more."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action")
        actions.add_parser("list", help="what was put aside and not handled since")
        retry = actions.add_parser("retry", help="hand one over again, or all, oldest event first")
        which = retry.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="?", type=UUID, help="as `list` shows it")
        which.add_argument("--all", action="store_true")

    def handle(self, *args: Any, action: str | None, **options: Any) -> None:
        if action == "retry":
            self._retry([options["id"]] if options["id"] else [failed.id for failed in _aside()])
        else:
            self._list()

    def _list(self) -> None:
        for failed in _aside():
            event = f"{typed('event', failed.event_id)} {failed.event.type}"
            self.stdout.write(f"{failed.id}  {rfc3339(failed.at)}  {failed.subscriber}  {event}  {failed.error}")

    def _retry(self, ids: list[UUID]) -> None:
        """Raises CommandError at the end when one failed again."""
        failures = 0
        for one in ids:
            try:
                self.stdout.write(f"{one}  {'handled' if events.retry_failed(one) else 'was handled before'}")
            except FailedEvent.DoesNotExist:
                raise CommandError(f"{one} was never put aside") from None
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, the others are still tried
                failures += 1
                self.stderr.write(f"{one}  {type(error).__name__}: {error}")
        if failures:
            raise CommandError(f"{failures} of {len(ids)} failed again")


def _aside() -> list[FailedEvent]:
    return list(FailedEvent.objects.filter(retried_at=None).select_related("event").order_by("event__position"))
