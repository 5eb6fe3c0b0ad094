"""When a row was: every form that can be read, and none that is in doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.prepare.moments import moments

DAY = 18_362.0  # 2020-04-10, in days since 1970-01-01


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-04-10", DAY),
        ("2020-04-10 12:00", DAY + 0.5),
        ("2020-04-10T12:00:00Z", DAY + 0.5),
        ("2020-04-10T14:00:00+02:00", DAY + 0.5),
        ("20200410", DAY),
        ("10 April 2020", DAY),
        ("April 10, 2020", DAY),
        ("25/12/2020", DAY + 259),
        ("12/25/2020", DAY + 259),
        (str(int(DAY) * 86_400), DAY),
        (str(int(DAY) * 86_400_000), DAY),
        ("2020", DAY - 100),
        ("2020-04", DAY - 9),
        (" 2020-04-10 ", DAY),
    ],
)
def test_forms_that_are_read(text: str, moment: float) -> None:
    assert moments([text]).tolist() == [moment]


@pytest.mark.parametrize("text", ["", "soon", "10/04/2020", "2020-13-01", "31.31.2020", "123", "10/04/20", "²"])
def test_forms_that_are_not(text: str) -> None:
    assert np.isnan(moments([text])).all()


def test_the_other_dates_of_the_column_say_which_way_round_it_is() -> None:
    assert moments(["10/04/2020", "25/12/2020"])[0] == DAY
    assert moments(["10/04/2020", "12/25/2020"])[0] == moments(["2020-10-04"])[0]
    assert np.isnan(moments(["10/04/2020", "25/12/2020", "12/25/2020"])[0])
    assert moments(["10/04/2020 09:30", "25/12/2020 18:00"])[0] == DAY + 9.5 / 24


@given(st.lists(st.text(max_size=20) | st.from_regex(r"[0-9]{1,4}[-/. :T0-9+Z]{0,20}", fullmatch=True), max_size=5))
def test_no_text_is_too_much_for_it(texts: list[str]) -> None:
    assert moments(texts).shape == (len(texts),)
