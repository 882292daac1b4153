"""The Celery application."""

import os
import resource
from typing import Any

from celery import Celery, signals
from kombu.transport.sqlalchemy import Transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Seconds; the transport takes no option for it and waits a whole second.
Transport.polling_interval = 0.2

app = Celery("loyalty")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Stop Celery from replacing the logging that Django set up."""


@signals.worker_process_init.connect
def bound_memory(**_: Any) -> None:
    """Let a process that takes too much memory fail its job instead of the machine."""
    from django.conf import settings

    wanted = int(settings.WORKER_MEMORY_BYTES_MAX)
    hardest = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hardest != resource.RLIM_INFINITY:
        wanted = min(wanted, hardest)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hardest))


@signals.worker_shutting_down.connect
def put_work_down(**_: Any) -> None:
    """Let jobs end where they next can, while the worker waits for them."""
    from loyalty.services import jobs

    jobs.ask_to_stop()
