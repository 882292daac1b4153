"""Addresses of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from django.views.static import serve
from rest_framework.routers import SimpleRouter

import activities.api.metrics
import activities.api.routes
import activities.contracts.urls
import campaigns.api.routes
import loyalty.api.routes
from activities.admin.finding import find
from loyalty.api.pages import DocumentationView, SchemaView

api = SimpleRouter(trailing_slash=False)
loyalty.api.routes.register(api)
campaigns.api.routes.register(api)
activities.api.routes.register(api)

handler500 = "loyalty.admin.unavailable.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # Before the theme's own, which finds pages only.
    path("admin/search/", admin.site.admin_view(find)),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api.urls)),
    path("api/v1/schema", SchemaView.as_view(), name="api-schema"),
    path(
        "api/v1/docs",
        DocumentationView.as_view(url_name="api-schema"),
        name="api-docs",
    ),
    *activities.api.metrics.urlpatterns,
    *activities.contracts.urls.urlpatterns,
]

if not settings.IS_PRODUCTION:
    urlpatterns.append(
        re_path(
            rf"^media/(?P<path>{settings.IMAGE_FOLDER}/.+)$",
            serve,
            {"document_root": settings.MEDIA_ROOT},
        )
    )
