"""Paths of the vendors' APIs. A contract adds itself in two places here."""

from django.urls import URLPattern

from activities.contracts import crowdtwist, es_loyalty, hang, netcore, spaaza
from loyalty.api import oauth
from loyalty.api.contract import Contract, serve

CONTRACTS: tuple[Contract, ...] = (
    oauth.CONTRACT,
    es_loyalty.CONTRACT,
    crowdtwist.CONTRACT,
    hang.CONTRACT,
    netcore.CONTRACT,
    spaaza.CONTRACT,
)
urlpatterns: list[URLPattern] = [
    *oauth.urlpatterns,
    *es_loyalty.urlpatterns,
    *crowdtwist.urlpatterns,
    *hang.urlpatterns,
    *netcore.urlpatterns,
    *spaaza.urlpatterns,
]

serve(*CONTRACTS)
