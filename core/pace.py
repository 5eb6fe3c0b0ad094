"""How fast a piece of work goes and how long is left, from what its meter tells."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.figures import duration

SURE_AFTER_SECONDS = 1.0
"""Before, a rate says more about the start than about the work."""


@dataclass
class Pace:
    """Follows one meter; each part of the work has its own rate."""

    doing: str = ""
    since: float = 0.0
    begun: int = 0
    """How much was done then already."""
    done: int = 0
    of: int = 0
    now: float = 0.0

    def see(self, doing: str, done: int, of: int, now: float) -> None:
        """What the meter told at `now` (seconds, by any clock that only goes forward)."""
        again = doing == self.doing and done < self.done  # the same is done once more, from here on
        if again or doing != self.doing:
            self.doing, self.since, self.begun = doing, now, done if again else 0
        self.done, self.of, self.now = done, of, now

    @property
    def rate(self) -> float | None:
        """Rows a second; None where it is not sure yet."""
        took = self.now - self.since
        made = self.done - self.begun
        return made / took if took >= SURE_AFTER_SECONDS and made else None

    @property
    def left(self) -> float | None:
        """Seconds until this part is done; None where that is not known."""
        rate = self.rate
        return (self.of - self.done) / rate if rate and self.of >= self.done > 0 else None

    def text(self) -> str:
        """`Reading: 120,000 of 1,000,000, 85,000 a second, 10 s left`."""
        told = f"{self.doing[:1].upper()}{self.doing[1:]}"
        if self.of:
            told += f": {self.done:,} of {self.of:,}"
        elif self.done:
            told += f": {self.done:,}"
        if self.rate:
            told += f", {_rounded(self.rate)} a second"
        if self.left is not None:
            told += f", {duration(self.left)} left"
        return told


def _rounded(rate: float) -> str:
    """To two figures: the rate is not known better."""
    return f"{float(f'{rate:.2g}'):,.0f}" if rate >= 1 else f"{rate:.2g}"
