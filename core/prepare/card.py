"""temporary"""

from typing import Any


def card(*a: Any) -> str:
    return ""
