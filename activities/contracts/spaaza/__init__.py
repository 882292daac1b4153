"""Spaaza: ``GET /interact-campaign``.

Source: the vendor's page *Interact with campaign*, with its pages on responses,
versioning, authentication and composable campaigns.

Replay: the vendor has no key, so every call is an interaction of its own. With the
optional header ``Idempotency-Key``, which is ours, a repeated call gets the first
answer, byte for byte, for good; for another campaign or user it is refused with 419.
Who is refused keeps the key.

Where the pages contradict each other or themselves, and which side wins:

* The call is “interaction-campaign” in one place; path and ``result_type`` are
  ``interact-campaign``.
* 247 speaks of ``campaign_rule_id``; the parameter is ``campaign_id``.
* The header with the host name has two spellings: both are read, that of the page
  of the call wins.
* 450 is an error and a warning: a warning in a 200 with ``success`` false if this
  member has had every reward, an error if nothing is left for anybody.
* A GET acts. ``HEAD`` and prefetching do not; POST is an alias.
* Three errors are 500; they are answered so, and alarm nobody.

Where they are silent:

* The order of checks: credentials (6, 265, 266, 228), app (269, 238, 264), campaign
  named (245, 247), chain (217), access (68), member and key named (267, 416, 154, 419),
  campaign there (246), campaign, chain and app of one program (405), member there
  (270; 424 if a user names somebody else), active (449), audience (424), had
  everything (warning), nothing left (450), price (451).
* Users are members with a session, or with its key in place of the JWT; sessions
  are opened at ``POST /api/v1/login-sessions``. Administrators are staff with a
  session and the permission to interact. Privileged clients have an API key or an
  access token that may write or interact.
* 228 answers several kinds of credentials at once, and staff who name an app. 68
  answers staff and keys without the permission. A chain is a program, the wallet's
  ``campaign_id`` in a reward the number of the wallet.
* A parameter given twice is 416; an empty one counts as absent. Integers too long to
  be a number of anything are unknown ones.
* Without a readable version header the client counts as new.
* Errors outside the vendor's table have the code 10,000 plus the status.
* ``reward`` and ``rewards`` are absent if nothing was won.
* A key bound to business units interacts with campaigns of these and of none; with
  others it is 405.
"""

from activities.contracts.spaaza.envelope import CONTRACT
from activities.contracts.spaaza.views import urlpatterns

__all__ = ["CONTRACT", "urlpatterns"]
