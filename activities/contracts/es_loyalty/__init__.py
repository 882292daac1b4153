"""ES Loyalty (Exchange Solutions): sessions, and activities answered at once.

Source: the vendor's public pages *Send Activity (with Activity ID)*, *Start Session
for User Account* and *Start Session Without Loyalty ID*.

Replay: a known activity id is an error, "ActivityID already exists", whoever sends
it in whichever session; GUIDs are the same in any case and with braces. A call
without an id must not be repeated, unless it carries ``Idempotency-Key``, which
gives the first answer again. Refused calls leave id and key free.

Order of refusals: key, body, session, known id, then the rows of the page's error
table from top to bottom, then note and ``extendedData``.

Where the pages contradict each other or are silent:

* The page says the channel has a default and that it cannot be blank: left out it
  is the program's default, null or blank it is an error.
* A sibling call answers ``INVALID_BUSINESS_UNIT``; here it is ``INVALID_REQUEST``,
  as on the page.
* The page words an error for a loyalty id that its body does not have: ``loyaltyId``
  is taken, and has to be a card of the session's account.
* A type that is switched off is "Action not found"; a time more than an hour ahead,
  or older than the program accepts, is "When not found".
* Points of an offer that belongs to no business unit, in a call that names none,
  stand under the partner of the activity type, or under the program's name.
* Text is trimmed everywhere. Members that nobody knows are ignored.
* Nothing is said of unknown sessions, accounts and limits of length: 400 with a
  sentence, like every refusal of this vendor. Balances of a session are our own
  shape.
"""

from activities.contracts.es_loyalty import activities, sessions
from activities.contracts.es_loyalty.contract import CONTRACT

urlpatterns = [*sessions.urlpatterns, *activities.urlpatterns]

__all__ = ["CONTRACT", "urlpatterns"]
