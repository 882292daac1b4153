"""CrowdTwist (Oracle): the catalogue of activities, credits and history.

Source: the vendor's public pages *Activities – Extended* (v2.1), *Activities*,
*Activity Search*, *User Activities*, *User Activity Credit* and *User Activity
History*, and its collection of recorded calls.

Replay: the vendor has no key and no natural key for credits, so every call is a
credit of its own; caps limit what repeated calls can earn. A refused call stores
nothing.

Where the pages contradict each other, and which side wins:

* The previous link is ``prev_page`` in the table and ``previous_page`` in the sample:
  both are there, ``prev_page`` is the canonical one.
* ``activity_tag`` in the table is ``activity_tags`` in the sample: the sample.
* ``freq_cap``, ``freq_period_id`` and ``freq_period_name`` stand twice: once each.
* Types differ between table and sample (``points_on_click``, ``min_tier_id``, dates):
  the sample, because changing a type would break clients.
* The numbers of types are 1 to 8 in the extended lists, but every sample pairs 7 with
  "Your Site" as the plain lists do: the written list is shipped, as rows that can be
  edited; number and name always come from one row.
* Channel 2 is "cap" on one page and "cgp" on another; periods change their letter
  case: names are labels in the database, the numbers are the contract.
* The error table shows a sentence as a sample of ``error``: a code is sent.
* Links of the sample all say page 1: real pages are linked, with an empty key.

Where they are silent:

* Missing, unknown, revoked and foreign keys, and keys without the scope, are all 403
  ``invalid_auth``; too many calls are 429 ``too_many_requests``. HMAC is not spoken.
* A key bound to business units sees types of these units and of none, and credits
  for its one unit or for the type's own.
* An activity type without a kind is shown as "Your Site"; a cap of none, and one
  required attempt, as null. ``num_points`` of a type that pays per unit of value is
  for one unit.
* Types discovered from uploads or partners are not listed until somebody has looked
  at them. One activity by number is told whether it is live or not.
* Locked entries of a member's list carry ``is_locked``, an addition.
* A credit is decided at once; ``awarded`` says that it was accepted. In the history
  ``date_created`` is when it was recorded, and ``date_awarded`` the moment it counts
  for, null if it earned nothing. Both are text, as on the page. Reversed activities
  are left out; ``date_start`` and ``date_end`` cut by when it happened, the end
  outside. Without a page the newest 1,000 are told.
* A date more than an hour ahead is ``invalid_date``, also where credits may be dated.
* Credits to a blocked member are refused as ``invalid``.
"""

from activities.contracts.crowdtwist.envelope import CONTRACT
from activities.contracts.crowdtwist.views import urlpatterns

__all__ = ["CONTRACT", "urlpatterns"]
