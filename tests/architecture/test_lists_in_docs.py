"""docs/clients.md names every list of the API and every filter it has."""

import re
from pathlib import Path

from django.conf import settings
from rest_framework.mixins import ListModelMixin

from config.urls import api

PAGE = Path(settings.BASE_DIR, "docs", "clients.md")
ROW = re.compile(r"^\| `/([a-z-]+)` \| (.*) \|$", re.MULTILINE)


def lists_of_the_api():
    found = {}
    for path, viewset, _ in api.registry:
        if not (issubclass(viewset, ListModelMixin) or hasattr(viewset, "list")):
            continue
        filters = getattr(viewset, "filterset_class", None)
        names = set(filters.base_filters) if filters else set()
        own = set(getattr(viewset, "list_parameters", ()))
        found[path] = names | own
    return found


def test_every_list_stands_there_with_every_filter():
    told = {
        path: set(re.findall(r"`([a-z_]+)`", cell))
        for path, cell in ROW.findall(PAGE.read_text())
    }

    assert told == lists_of_the_api()
