from celery import shared_task

from backend.evidence import anchoring, services


@shared_task(name="evidence.collect_leftovers")
def collect_leftovers() -> None:
    """Ends uploads that nobody finishes, and takes away what a crash left of files. Two at a time are harmless."""
    services.collect_leftovers()


@shared_task(name="evidence.check_ledger")
def check_ledger() -> None:
    """Looks whether the chains' keys, files and rows still fit together, also while nothing waits."""
    anchoring.check()
