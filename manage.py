#!/usr/bin/env python
"""Commands of the project; starts the private PostgreSQL when it is in use."""

import os
import sys


def main() -> None:
    """Run the command that the command line names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from config import private_postgres

    if settings.USES_PRIVATE_POSTGRES:
        private_postgres.ensure_running()
    try:
        execute_from_command_line(sys.argv)
    finally:
        # Other commands leave the server running for the next one.
        if "serve" in sys.argv[1:2]:
            private_postgres.stop_if_started_here()


if __name__ == "__main__":
    main()
