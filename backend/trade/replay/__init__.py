"""What no section holds, told again from what does: states from what happened, amounts from counts and prices (domain invariant A13)."""

from backend.trade.replay.amendments import check_amendments
from backend.trade.replay.back_to_back import check_ways
from backend.trade.replay.goods import check_derived
from backend.trade.replay.productions import (
    check_productions,
)
from backend.trade.replay.versions import check_versions

__all__ = ["check_amendments", "check_derived", "check_productions", "check_versions", "check_ways"]
