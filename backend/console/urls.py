from django.urls import path
from django.views.i18n import set_language

from backend.console import alerts, home, issuing, orders, sign_in, trace

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("language/", set_language, name="language"),
    path("orders/", orders.order_list, name="orders"),
    path("orders/new/", issuing.new, name="order-new"),
    path("orders/new/lines/", issuing.lines, name="order-lines"),
    path("orders/new/total/", issuing.total, name="order-total"),
    path("orders/new/ship-to/", issuing.ship_to, name="ship-to"),
    path("orders/<str:order>/", trace.trace, name="order"),
    path("despatches/", orders.despatch_list, name="despatches"),
    path("receipts/", orders.receipt_list, name="receipts"),
    path("alerts/", alerts.alert_list, name="alerts"),
    path("alerts/series/", alerts.series, name="alerts-series"),
    path("alerts/<str:alert>/", alerts.alert_page, name="alert"),
    path("alerts/<str:alert>/acknowledgement/", alerts.acknowledge, name="acknowledge"),
    path("ledger/", home.ledger, name="ledger"),
]
