"""The worker of a start: Celery with its beat inside, whose own children die with it.

Celery forks its pool and its beat; a worker killed outright would leave them behind.
"""

import os
import sys
from pathlib import Path

from celery import signals
from celery.app.utils import find_app

from backend.core.launch.children import die_with


def main(run: Path) -> None:
    """Run the worker until it is told to end. `run`: the folder for beat's schedule and the mark that says it is ready."""
    worker = os.getpid()
    ready = ready_mark(run)

    def stay_no_longer_than_the_worker(**_: object) -> None:
        die_with(worker)

    def say_ready(**_: object) -> None:
        ready.touch()

    signals.worker_process_init.connect(stay_no_longer_than_the_worker, weak=False)
    signals.beat_embedded_init.connect(stay_no_longer_than_the_worker, weak=False)
    signals.worker_ready.connect(say_ready, weak=False)

    application = find_app("backend.celery:app")
    application.worker_main(
        [
            "worker",
            "--beat",
            "--concurrency=2",
            "--queues=default,anchoring",
            "--without-gossip",
            "--without-mingle",
            f"--schedule={run / 'beat'}",
        ]
    )


def ready_mark(run: Path) -> Path:
    return run / "worker.ready"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
