"""What is wrong in the data, as far as it can tell itself: one check a kind of fault, all fed in one pass."""

from tunesmith.core.prepare.look.check import Check
from tunesmith.core.prepare.look.driver import find, in_order
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen, seen_of

__all__ = ["Check", "Page", "Seen", "find", "in_order", "seen_of"]
