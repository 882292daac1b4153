"""Hang: activities on program memberships, memberships themselves, quests.

Source: docs.hang.com/hang-platform ("Record Activities on a Program Membership" and
its sister pages) and the vendor's Swagger of 2023.09.07.

Replay policy: the same ``idempotency_key`` with the same request is answered 200
like the first time, forever; with another request 422; while the first is being
worked on 409 with ``Retry-After``. A refused request leaves its key free.

Contradictions, and which side wins:

* ``value`` is text in the Swagger and text or a number in the page's example: both
  are read; an exponent never. It measures the activity; points follow from the
  type's rule. Values of line items need not add up to it: the page's own do not.
* Line items are texts in the Swagger (forms cannot do better) and objects in the
  page: objects win, JSON text of an object is read too.
* ``activies/synchronous`` is misspelled in both; the right spelling is served too.
  Activities are recorded before the answer on every path.
* Ids are numbers in some examples and text in the Swagger: text wins.
* ``wallet_address`` of the Swagger has left the pages; memberships look as on those.
* ``progress[].activity_id`` is the activity type as clients send it. Prizes are
  given with the activity that completes the quest; claiming one reads it.
* The vendor names no rule for a phone without a country but that it is of the US.
* An unknown activity type is answered 404, like other unknown ids in bodies. Doubled
  names in JSON and text without a visible character are refused with 400.
"""

from activities.contracts.hang import activities, memberships, quests
from activities.contracts.hang.contract import CONTRACT

__all__ = ["CONTRACT", "urlpatterns"]

# A membership called “search” does not exist, so its paths come first.
urlpatterns = [
    *memberships.urlpatterns,
    *activities.urlpatterns,
    *quests.urlpatterns,
]
