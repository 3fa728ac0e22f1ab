from django.urls import path

from backend.console import phone

urlpatterns = [
    path("", phone.index, name="phone"),
    path("<path:name>", phone.file, name="phone-file"),
]
