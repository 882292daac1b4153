#!/usr/bin/env python
"""Commands of the project; starts the private servers that are in use."""

import os
import sys


def main() -> None:
    """Run the command that the command line names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from config import private_postgres, private_valkey

    if settings.USES_PRIVATE_POSTGRES:
        private_postgres.ensure_running()
    if settings.USES_PRIVATE_VALKEY:
        private_valkey.ensure_running()
    try:
        execute_from_command_line(sys.argv)
    finally:
        # Other commands leave the servers running for the next one.
        if "serve" in sys.argv[1:2]:
            private_valkey.stop_if_started_here()
            private_postgres.stop_if_started_here()


if __name__ == "__main__":
    main()
