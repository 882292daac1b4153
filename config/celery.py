"""The Celery application."""

import os
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
