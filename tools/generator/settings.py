"""What a run is asked for, and the calendar that follows from it. Days are integers since 1970-01-01."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

MICROSECONDS_PER_DAY = 86_400_000_000
LANDING_OFFSET = 2 * 3_600_000_000  # the nightly landing runs at 02:00 UTC
SMALLEST_CUSTOMER_COUNT = 100
SMALLEST_MONTH_COUNT = 6


def day_number(day: date) -> int:
    """Days from 1970-01-01 to ``day``."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Calendar:
    """The months of a run.

    ``month_starts`` has one entry more than there are months: the day after the last month closes it.
    """

    month_starts: np.ndarray

    @classmethod
    def ending(cls, last_month: date, months: int) -> Calendar:
        """The ``months`` whole months that end with the month of ``last_month``."""
        last = np.datetime64(last_month, "M")
        starts = np.arange(last - months + 1, last + 2).astype("datetime64[D]").astype(np.int64)
        return cls(starts)

    @property
    def month_count(self) -> int:
        """Number of months, at least 6."""
        return len(self.month_starts) - 1

    @property
    def first_day(self) -> int:
        """First day of the first month."""
        return int(self.month_starts[0])

    @property
    def last_day(self) -> int:
        """Last day of the last month; nothing is dated later, apart from promises and due dates."""
        return int(self.month_starts[-1]) - 1

    @property
    def last_landing(self) -> int:
        """Latest ``loaded_at`` of the data, in microseconds since 1970: 02:00 two days after the end."""
        return (self.last_day + 2) * MICROSECONDS_PER_DAY + LANDING_OFFSET

    def month_of(self, days: np.ndarray) -> np.ndarray:
        """Index of the month each day lies in (0 = first month)."""
        return np.searchsorted(self.month_starts, days, side="right") - 1

    def landed(self, days: np.ndarray, nights_late: np.ndarray | int = 0) -> np.ndarray:
        """``loaded_at`` of rows dated ``days``: the next night, or ``nights_late`` nights after that."""
        moment = (np.asarray(days, dtype=np.int64) + 1 + nights_late) * MICROSECONDS_PER_DAY + LANDING_OFFSET
        return np.minimum(moment, self.last_landing)


def weekday(days: np.ndarray) -> np.ndarray:
    """0 = Monday … 6 = Sunday."""
    return (days + 3) % 7


def next_working_day(days: np.ndarray) -> np.ndarray:
    """The day itself, or the Monday after a weekend."""
    return days + np.maximum(0, 7 - weekday(days)) * (weekday(days) >= 5)


def year_of(days: np.ndarray) -> np.ndarray:
    """Calendar year of each day."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


@dataclass(frozen=True)
class Settings:
    """Arguments of a run. Equal settings give equal bytes.

    ``customers``: 100 to several millions. ``months``: at least 6. ``lines``: invoice lines aimed at; the outcome
    differs by a few percent. ``file_format``: csv or parquet. ``tables``: all or core (master data, orders,
    invoices, invoice lines, exchange rates). Core tables are the same bytes in both, except that the order of
    ``planted_faults.csv`` follows the tables present.
    """

    seed: int = 42
    customers: int = 300
    months: int = 26
    lines: int = 10_000
    file_format: str = "csv"
    last_month: date = date(2026, 6, 1)
    tables: str = "all"
    plant_dirt: bool = True
    lines_per_block: int = 400_000
    calendar: Calendar = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot hold the promised shapes, then derive the calendar."""
        if self.customers < SMALLEST_CUSTOMER_COUNT:
            raise ValueError(f"--customers must be at least {SMALLEST_CUSTOMER_COUNT}, not {self.customers}")
        if self.months < SMALLEST_MONTH_COUNT:
            raise ValueError(f"--months must be at least {SMALLEST_MONTH_COUNT}, not {self.months}")
        if self.lines < self.customers:
            raise ValueError(f"--lines must be at least the number of customers, not {self.lines}")
        object.__setattr__(self, "calendar", Calendar.ending(self.last_month, self.months))

    @property
    def faults_per_kind(self) -> int:
        """How often a kind of document fault is planted."""
        return max(3, self.lines // 20_000)

    @property
    def hierarchy_faults(self) -> int:
        """How often a kind of master-data fault is planted: bounded by the number of customers too."""
        return max(1, min(self.faults_per_kind, self.customers // 150))
