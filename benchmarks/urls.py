from django.urls import path

from backend.urls import handler404, handler500
from backend.urls import urlpatterns as product
from benchmarks.bare.views import InsertRow

__all__ = ["handler404", "handler500", "urlpatterns"]

urlpatterns = [path("bare/", InsertRow.as_view()), *product]
