from celery import shared_task

from backend.evidence import services


@shared_task(name="evidence.collect_leftovers")
def collect_leftovers() -> None:
    """Ends uploads that nobody finishes, and takes away what a crash left of files. Two at a time are harmless."""
    services.collect_leftovers()
