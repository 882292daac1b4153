"""``manage.py announce_site``: the part of ``serve`` that waits for the site."""

import http.client
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.management.commands.serve import (
    DEMO_PASSWORD,
    DEMO_USERNAME,
    load_demo,
)

SECONDS_TO_ANSWER = 60


class Command(BaseCommand):
    """Print the address once the site answers, queue the rest of the demo, end."""

    help = "Used by serve: prints the address once the site answers, then ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", required=True)
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--demo", action="store_true")

    def handle(self, *, host: str, port: int, demo: bool, **options: Any) -> None:
        reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        _wait_for_answer(reachable, port)
        self._print_address(reachable, port, demo=demo)

        if demo:
            load_demo("--rest")

    def _print_address(self, host: str, port: int, *, demo: bool) -> None:
        self.stdout.write("")
        self.stdout.write(f"    The site is at http://{host}:{port}/")
        if demo:
            self.stdout.write(
                f"    Sign in as {DEMO_USERNAME} with password {DEMO_PASSWORD}"
            )
        self.stdout.write("    Stop everything with Ctrl-C")
        self.stdout.write("")


def _wait_for_answer(host: str, port: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while time.monotonic() < deadline:
        try:
            site = http.client.HTTPConnection(host, port, timeout=10)
            site.request("GET", "/admin/login/")
            site.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise CommandError(f"The site does not answer at {host}:{port}.")
