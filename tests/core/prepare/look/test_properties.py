"""Whatever stands in a table, looking at it never fails and never says what can't be."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.core.prepare.look.tables import NEEDED, records_of, seen_in
from tunesmith.core.facts import DataFinding, Shape
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.look import find
from tunesmith.core.prepare.look.driver import ORDER

ODD = (
    *("", " ", "n/a", "-", "?", "null", "1.234,50 €", "$1,234.50", "12", "-3", "1e999", "2020-01-01", "03/11/2019"),
    *("cafÃ©", "<b>x</b>", "&amp;", "a\x00b", "a\u202eb", "x  y", "\ufffd", "test", "Total", "a", "[1]", '{"b": 2}'),
    *('[{"role": "user", "content": "a"}, {"role": "assistant", "content": "."}]', '["\ud800"]'),
    *("I don't know.", "\ud800", "\x1b[31mred", "Q: what?", "9999-12-31", "Ja", "ja", "JA ", "a\nb", "\n", "1\n2"),
)
cells = (
    st.sampled_from(ODD)
    | st.text(max_size=20)
    | st.integers()
    | st.none()
    | st.floats()
    | st.lists(st.text(), max_size=2)
)
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(("a", "b", "c"), cells)), max_size=40)
shapes = st.sampled_from(list(NEEDED))
REPAIR = TypeAdapter(Repair)


def findings_of(table: list[dict[str, Any]], shape: Shape) -> list[DataFinding]:
    records = records_of(table)
    parts = dict(zip((*NEEDED[shape], "context", "input"), ("a", "b", "c"), strict=False))
    parts = {part: name for part, name in parts.items() if name in records.columns}
    if not all(part in parts for part in NEEDED[shape]):
        return []
    return find(records, seen_in(records, shape, parts))


@settings(max_examples=150)
@given(rows, shapes, st.integers(1, 30))
def test_any_table_gives_findings_that_can_be(table: list[dict[str, Any]], shape: Shape, times: int) -> None:
    table = table * times
    found = findings_of(table, shape)
    assert len({(finding.kind, finding.column) for finding in found}) == len(found), "a kind at most once a column"
    for finding in found:
        assert 0 < finding.count <= len(table) or finding.kind == "copied", finding
        assert 0 <= finding.share <= 1
        assert len(finding.examples) <= 3 and len(finding.picture) <= 12
        assert all(isinstance(count, int) and count >= 0 for _, count in finding.picture)
        told = (finding.text, finding.effect, *finding.examples, *(label for label, _ in finding.picture))
        assert all(harmless(text) for text in told), finding
        assert finding.text and finding.effect and finding.kind in ORDER
        for repair in finding.repairs:
            REPAIR.validate_python(repair)
        assert finding.repairs or not finding.recommended
    mending = [bool(finding.repairs) for finding in found]
    assert mending == sorted(mending, reverse=True), "what can be mended comes first"


def harmless(text: str) -> bool:
    """Whether a text steers no terminal: nothing but what can be seen, and spaces."""
    return all(unicodedata.category(c)[0] != "C" for c in text)
