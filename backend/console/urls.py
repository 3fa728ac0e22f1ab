from django.urls import path
from django.views.i18n import set_language

from backend.console import alerts, home, issuing, join, orders, organisations, people, sign_in, trace

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
    path("invitation/", join.join, name="join"),
    path("people/", people.people, name="people"),
    path("people/invitations/new/", people.invite, name="invite"),
    path("people/invitations/<str:invitation>/withdrawal/", people.withdraw, name="invitation-withdrawal"),
    path("people/delegations/new/", people.delegate, name="delegate"),
    path("people/delegations/<str:delegation>/revocation/", people.revoke_delegation, name="delegation-revocation"),
    path("people/devices/<str:device>/revocation/", people.revoke_device, name="device-revocation"),
    path("people/<str:member>/", people.member, name="member"),
    path("people/<str:member>/revocation/", people.revoke_member, name="member-revocation"),
    path("organisations/", organisations.organisation_list, name="organisations"),
    path("organisations/new/", organisations.new, name="organisation-new"),
    path("organisations/<str:organisation>/", organisations.organisation, name="organisation"),
    path("organisations/<str:organisation>/verification/", organisations.verify, name="verify"),
    path("organisations/<str:organisation>/verification/revocation/", organisations.unverify, name="unverify"),
    path(
        "organisations/<str:organisation>/administrator/",
        organisations.first_administrator,
        name="first-administrator",
    ),
    path("ledger/", home.ledger, name="ledger"),
]
