"""Paths of the vendors' APIs. A contract adds itself in two places here."""

from django.urls import URLPattern

from activities.contracts import es_loyalty
from loyalty.api import oauth
from loyalty.api.contract import Contract, serve

CONTRACTS: tuple[Contract, ...] = (oauth.CONTRACT, es_loyalty.CONTRACT)
urlpatterns: list[URLPattern] = [*oauth.urlpatterns, *es_loyalty.urlpatterns]

serve(*CONTRACTS)
