import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

import backend.celery  # noqa: F401 - tasks sent from the web process go to the configured broker
from backend.core.middleware import BoundedBody
from backend.core.sqlite3.base import keep_connections
from backend.parties.consumers import LiveConsumer

keep_connections(8)

application = ProtocolTypeRouter(
    {
        "http": BoundedBody(cast(Any, http)),  # Django's handler is typed for HTTP scopes alone
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([path("ws/live/", LiveConsumer.as_asgi())]))
        ),
    }
)
