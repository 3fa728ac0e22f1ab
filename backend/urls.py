from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from backend.console import docs
from backend.core import metrics

api: list[URLPattern | URLResolver] = [
    path("", include("backend.parties.api")),
    path("", include("backend.evidence.api")),
    path("", include("backend.trade.api")),
    path("", include("backend.risk.api")),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[]), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", permission_classes=[]), name="api-docs"),
]

urlpatterns = [
    path("", RedirectView.as_view(url="/console/")),
    path("api/v1/", include(api)),
    path("ledger/", include("backend.evidence.ledger_urls")),
    path("console/", include("backend.console.urls")),
    path("m/", include("backend.console.phone_urls")),
    path("docs/errors", docs.errors, name="docs-errors"),
    path("admin/", admin.site.urls),
    path("healthz", metrics.health, name="health"),
    path("metrics", metrics.metrics, name="metrics"),
]
if settings.DEMO:
    urlpatterns += [path("demo/", include("backend.console.demo_urls"))]

handler404 = "backend.core.middleware.not_found"
handler500 = "backend.core.middleware.internal_error"
