"""The admin pages of activities and of the files they come in."""

from activities.admin import (
    activities,
    anonymous,
    campaigns,
    logins,
    segments,
    uploads,
)

__all__ = ["activities", "anonymous", "campaigns", "logins", "segments", "uploads"]
