"""The practice table: 400 invented employees and a handful of planted flaws, made from a seed.

``python -m tunesmith.core.practice.employees OUT.csv`` writes the table that lies beside this file as employees.csv.
The flaws are there for the Prepare stage to find; ``FLAWS`` says which and how many. Nobody in it exists.
"""

from __future__ import annotations

import csv
import io
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

COLUMNS = ("id", "name", "department", "hire_date", "salary")
PEOPLE = 400
SEED = 20200410

# Rows to repair or drop, beside the 400 sound ones. Dropping all of them leaves 400 people; every kind can be found
# from the table alone.
FLAWS: dict[str, int] = {
    "exact duplicate row": 2,
    "missing cell": 3,
    "date in another format": 2,
    "salary out of range": 3,
}

DEPARTMENTS = (
    "Engineering",
    "Marketing",
    "Sales",
    "Finance",
    "Human Resources",
    "Legal",
    "Operations",
    "Customer Support",
    "Design",
    "Research",
    "Logistics",
    "Procurement",
    "Quality Assurance",
    "Data Science",
    "Security",
    "Training",
)

_FIRST = """
Alice Amara Anton Aya Beatrice Ben Carlos Chloe Daniel Dara Dmitri Edith Elias Elena Fatima Felix Gabriel Grace Hana
Hassan Helen Ibrahim Ingrid Ivan Jamal Jane Jonas Julia Kenji Kira Laura Leon Lucia Marcus Maya Mei Miguel Nadia
Nathan Nina Oliver Omar Paula Peter Priya Rachel Rafael Rosa Samir Sara Sofia Stefan Tara Thomas Uma Victor Wei Yara
Yusuf Zoe
"""
_LAST = """
Abbott Ahmed Almeida Andersen Baker Banerjee Bauer Bennett Brennan Carter Castillo Chen Clarke Cohen Costa Dahl
Davies Diaz Dubois Eriksen Evans Fischer Fleming Foster Garcia Grant Gupta Haddad Hansen Hughes Ito Ivanova Jensen
Johnson Kaur Keller Khan Kim Kowalski Larsen Lee Lopez Mancini Martin Mbeki Meyer Moreau Murphy Nakamura Nguyen
Novak Okafor Olsen Patel Pereira Quinn Reyes Rossi Schmidt Silva Smith Suzuki Tanaka Turner Vargas Walsh Weber
Wilson Yilmaz Young
"""

Row = dict[str, str]


def employees(seed: int = SEED) -> list[Row]:
    """All rows of the table, sound and flawed, in the order in which they are written."""
    rng = Random(seed)
    extra = sum(count for flaw, count in FLAWS.items() if flaw != "exact duplicate row")
    names = _names(rng, PEOPLE + extra)
    sound = [_person(rng, name) for name in names[:PEOPLE]]
    flawed = _flawed(rng, [_person(rng, name) for name in names[PEOPLE:]])
    rows = sound + flawed
    rng.shuffle(rows)
    for number, row in enumerate(rows, start=1):
        row["id"] = str(1000 + number)
    for source in rng.sample(sound, FLAWS["exact duplicate row"]):
        rows.insert(rng.randrange(rows.index(source) + 2, len(rows) + 1), dict(source))
    return rows


def _names(rng: Random, count: int) -> list[str]:
    """Different full names, one of them Alice Smith, whom the documentation asks about."""
    every = [f"{first} {last}" for first in _FIRST.split() for last in _LAST.split()]
    every.remove("Alice Smith")
    return ["Alice Smith", *rng.sample(every, count - 1)]


def _person(rng: Random, name: str) -> Row:
    """A sound row: a hiring date from 2005 to 2024 in ISO form, a yearly salary of 32,000 to 148,500."""
    day = date(2005, 1, 1) + timedelta(days=rng.randrange((date(2024, 12, 31) - date(2005, 1, 1)).days))
    salary = rng.randrange(32_000, 149_000, 500)
    department = rng.choice(DEPARTMENTS)
    return {"id": "", "name": name, "department": department, "hire_date": day.isoformat(), "salary": str(salary)}


def _flawed(rng: Random, rows: list[Row]) -> list[Row]:
    """Spoil each row in the way of ``FLAWS`` that is its turn."""
    left = iter(rows)
    for column in ("department", "hire_date", "salary"):
        next(left)[column] = ""
    for _ in range(FLAWS["date in another format"]):
        row = next(left)
        # Day and month may both be read either way round (03/11/2019): a guess would be wrong in silence.
        row["hire_date"] = f"{rng.randint(1, 12):02d}/{rng.randint(1, 12):02d}/{row['hire_date'][:4]}"
    negative, zero, hundredfold = next(left), next(left), next(left)
    negative["salary"] = f"-{negative['salary']}"
    zero["salary"] = "0"
    hundredfold["salary"] += "00"
    return rows


def as_csv(rows: list[Row]) -> str:
    """The rows as CSV text with a header and ``\\n`` at line ends."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(arguments: list[str]) -> int:
    """Write the table to the path given, or to standard output if the path is ``-``."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tunesmith.core.practice.employees OUT.csv\n")
        return 2
    text = as_csv(employees())
    if arguments[0] == "-":
        sys.stdout.write(text)
    else:
        Path(arguments[0]).write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
