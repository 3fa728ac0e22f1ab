from django.urls import path

from backend.console import demo

urlpatterns = [
    path("handsets/", demo.handsets, name="demo-handsets"),
    path("handsets/<str:handset>/code", demo.code, name="demo-code"),
    path("console", demo.console, name="demo-console"),
]
