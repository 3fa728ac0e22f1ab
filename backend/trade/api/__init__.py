from backend.trade.api.goods import (
    Carriers,
    Despatch,
    Despatches,
    Milestones,
    Order,
    OrderConfirmation,
    OrderRejection,
    Orders,
    OrderSignature,
    Receipt,
    Receipts,
    Tasks,
    Trace,
    new_order,
)
from backend.trade.api.goods import urlpatterns as goods
from backend.trade.api.versions import OrderVersions
from backend.trade.api.versions import urlpatterns as versions

urlpatterns = [*goods, *versions]

__all__ = [
    "Carriers",
    "Despatch",
    "Despatches",
    "Milestones",
    "Order",
    "OrderConfirmation",
    "OrderRejection",
    "OrderSignature",
    "OrderVersions",
    "Orders",
    "Receipt",
    "Receipts",
    "Tasks",
    "Trace",
    "new_order",
    "urlpatterns",
]
