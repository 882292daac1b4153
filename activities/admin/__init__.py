"""The admin pages of activities and of the files they come in."""

from activities.admin import activities, anonymous, segments, uploads

__all__ = ["activities", "anonymous", "segments", "uploads"]
