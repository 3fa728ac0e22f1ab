from django.urls import path

from backend.evidence import ledger_views as views

urlpatterns = [
    path("policy", views.policy, name="ledger-policy"),
    path("<str:chain>/checkpoint", views.checkpoint, name="ledger-checkpoint"),
    path("<str:chain>/tile/<path:rest>", views.tile, name="ledger-tile"),
    path("<str:chain>/consistency", views.consistency, name="ledger-consistency"),
    path("<str:chain>/events/<uuid:event_id>/proof", views.event_proof, name="ledger-proof"),
    path("<str:chain>/events/<uuid:event_id>/leaf", views.event_leaf, name="ledger-leaf"),
]
