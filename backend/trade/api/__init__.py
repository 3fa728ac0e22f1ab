from backend.trade.api.amendments import (
    Amendment,
    AmendmentAgreement,
    AmendmentRefusal,
    Amendments,
    AmendmentWithdrawal,
    OrderCancellation,
)
from backend.trade.api.amendments import urlpatterns as amendments
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
from backend.trade.api.productions import (
    Production,
    ProductionCancellation,
    ProductionClosure,
    ProductionOutput,
    ProductionQuality,
    Productions,
    ProductionStart,
)
from backend.trade.api.productions import urlpatterns as productions
from backend.trade.api.versions import OrderVersions
from backend.trade.api.versions import urlpatterns as versions

urlpatterns = [*goods, *amendments, *productions, *versions]

__all__ = [
    "Amendment",
    "AmendmentAgreement",
    "AmendmentRefusal",
    "AmendmentWithdrawal",
    "Amendments",
    "Carriers",
    "Despatch",
    "Despatches",
    "Milestones",
    "Order",
    "OrderCancellation",
    "OrderConfirmation",
    "OrderRejection",
    "OrderSignature",
    "OrderVersions",
    "Orders",
    "Production",
    "ProductionCancellation",
    "ProductionClosure",
    "ProductionOutput",
    "ProductionQuality",
    "ProductionStart",
    "Productions",
    "Receipt",
    "Receipts",
    "Tasks",
    "Trace",
    "new_order",
    "urlpatterns",
]
