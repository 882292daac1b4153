"""What beat sends can be sent, and is known to the workers."""

import inspect

import pytest
from django.conf import settings

from config.celery import app

app.loader.import_default_modules()
OURS = sorted(
    name
    for name in app.tasks
    if name.startswith(("loyalty", "campaigns", "activities"))
)
SCHEDULE = settings.CELERY_BEAT_SCHEDULE


@pytest.mark.parametrize("name", SCHEDULE)
def test_every_scheduled_task_is_one_of_ours(name):
    assert SCHEDULE[name]["task"] in OURS


@pytest.mark.parametrize("name", OURS)
def test_every_task_can_be_sent(name):
    task = app.tasks[name]
    wanted = inspect.signature(task.run).parameters.values()
    words = {one.name: 1 for one in wanted if one.kind is one.KEYWORD_ONLY}

    assert task.apply_async(kwargs=words).id


@pytest.mark.parametrize("name", OURS)
def test_every_task_survives_its_worker(name):
    """Beat queues regular work again; if it kills its worker, it must not loop."""
    is_regular = name in {entry["task"] for entry in SCHEDULE.values()}

    assert app.tasks[name].acks_late is not is_regular
    assert app.tasks[name].reject_on_worker_lost is True
