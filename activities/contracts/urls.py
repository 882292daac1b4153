"""Paths of the vendors' APIs. A contract adds itself in two places here."""

from django.urls import URLPattern

from loyalty.api.contract import Contract, serve

CONTRACTS: tuple[Contract, ...] = ()
urlpatterns: list[URLPattern] = []

serve(*CONTRACTS)
