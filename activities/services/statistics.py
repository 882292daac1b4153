"""What the planner of PostgreSQL knows about the tables that recordings fill."""

from __future__ import annotations

from django.db import connection

#: From this many new activities on, the plans of yesterday may be wrong by far.
MANY = 10_000
_TABLES = (
    "activities_activity",
    "loyalty_member",
    "loyalty_identity",
    "loyalty_account",
    "loyalty_entry",
    "loyalty_lot",
    "loyalty_completion",
)


def refresh_statistics() -> None:
    """Count the recorded rows for the planner, as autovacuum would a minute later.

    Reports and ``check_ledger`` look at whole tables. Planned with statistics from
    before a large upload, they join them row by row and take hours. Works inside a
    transaction, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_TABLES)}")
