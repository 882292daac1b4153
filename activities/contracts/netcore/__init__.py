"""Netcore CE: ``POST /v1/activity/upload``.

Source: Netcore's page "Add Activity API", in the text that its customers built
clients from, and a newer state of it (``api-key`` header, ``anonid``, ``email``,
``mobile``, unknown contacts are created).

Replay policy: silent. Items have no id, so the same item again, in the same batch
or any other, is known by a natural key and accepted without being counted twice.

Where the page contradicts itself or says nothing:

* ``identity`` is "required", and yet may be left out where there is an anonymous
  id: at least one of the two is needed. The id is spelled ``annonid`` and
  ``anonid``; both are read.
* The page asks for UTC or an offset, and its samples have neither: a time without
  zone is read as the program says, by default in its own time zone.
* The samples are no JSON (bare words, braces that are not closed) and two items of
  the bulk sample lack ``asset_id``. JSON is read strictly, each item needs all of
  its members, and the samples are answered with 400.
* One outcome for a batch of which some items are wrong is not documented: 207 with
  counts and ``errors``, which today's clients take for a failure and send again,
  harmlessly. ``Prefer: handling=strict`` records all or none.
* Events with a blank array are "not inserted", silently: here the item is refused
  with ``EMPTY_ARRAY``, so that nothing is lost unseen.
* A guest's event that comes again with the identity after log-in is the same event, in
  either order, once the anonymous id is known to be that contact's. An event that comes
  again with another e-mail address or phone beside the identity is the same event, too.
* The page knows no value of an activity. An activity type may name the member of
  ``activity_params`` that is its value; without that, types that pay per value earn
  nothing here.
"""

from activities.contracts.netcore.envelope import CONTRACT
from activities.contracts.netcore.views import urlpatterns

__all__ = ["CONTRACT", "urlpatterns"]
