from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from backend.core.models import Event
from backend.evidence import anchoring, beginning, full_audit, refusals
from backend.evidence.models import Checkpoint, LedgerOrigin
from backend.evidence.published import CHAINS, PublishedChain, published_size
from backend.ledger import fsck
from backend.ledger.errors import LedgerError
from backend.ledger.note import encode_base64


class Command(BaseCommand):
    help = "The ledger of this installation: begin it, check it, verify its files, compare the database with it, say how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        init = actions.add_parser("init", help="make keys and the checkpoints of the empty trees, once")
        init.add_argument("--if-empty", action="store_true", help="do nothing when the ledger was begun before")
        actions.add_parser(
            "check", help="whether keys, newest files and rows fit together, as every start and every drain looks"
        )
        actions.add_parser("verify", help="recompute the published trees from their entries")
        actions.add_parser("audit", help="compare every event, sealed row and stored file with the ledger")
        actions.add_parser("stats", help="sizes, origins and what waits")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        run: dict[str, Callable[[dict[str, Any]], None]] = {
            "init": self._init,
            "check": self._check,
            "verify": self._verify,
            "audit": self._audit,
            "stats": self._stats,
        }
        try:
            run[action](options)
        except LedgerError as error:
            raise CommandError(str(error)) from error

    def _init(self, options: dict[str, Any]) -> None:
        if options["if_empty"] and beginning.begun():
            return
        for vkey in beginning.begin().values():
            self.stdout.write(vkey)

    def _check(self, options: dict[str, Any]) -> None:
        refused = anchoring.check()
        for chain in CHAINS:
            self.stdout.write(f"{chain}: {refused.get(chain, 'ok')}")
        if refused:
            reasons = "; ".join(f"{chain}: {error}" for chain, error in refused.items())
            raise CommandError(reasons) from next(iter(refused.values()))

    def _verify(self, options: dict[str, Any]) -> None:
        for chain in CHAINS:
            published = PublishedChain(chain)
            checkpoint = fsck.verify(published.tiles, published.verifier)
            self.stdout.write(f"ok: {checkpoint.origin}, size {checkpoint.size}, root {encode_base64(checkpoint.root)}")

    def _audit(self, options: dict[str, Any]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        faults = 0
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bars: dict[str, TaskID] = {}

            def step(what: str, done: int, total: int) -> None:
                bar = bars[what] if what in bars else bars.setdefault(what, progress.add_task(what))
                progress.update(bar, completed=done, total=total)

            for fault in full_audit.audit(step):
                faults += 1
                self.stdout.write(str(fault))
        if faults:
            raise CommandError(
                f"{faults} {'fault' if faults == 1 else 'faults'}: the database is not what the ledger vouches for"
            )
        self.stdout.write("ok: the database is what the ledger vouches for")

    def _stats(self, options: dict[str, Any]) -> None:
        table = Table("chain", "origin", "committed", "published", "waiting", "checkpoints", "refused")
        refused = {refusal.chain: refusal.code for refusal in refusals.refused()}
        for chain in CHAINS:
            origin = LedgerOrigin.objects.filter(chain=chain).values_list("origin", flat=True).first() or "-"
            rows = Checkpoint.objects.filter(chain=chain)
            committed = rows.order_by("-size").values_list("size", flat=True).first() or 0
            waiting = Event.objects.filter(chain=chain).count() - committed
            figures = (committed, published_size(chain), waiting, rows.count(), refused.get(chain, "-"))
            table.add_row(chain, origin, *map(str, figures))
        console = Console(width=160)
        with console.capture() as text:
            console.print(table)
        self.stdout.write(text.get())
