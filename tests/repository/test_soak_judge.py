"""The soak's judge, without an engine: what it finds in tables that some answers were given of."""

import pytest

from soak.ledger import PIECES, STOCK, Counted, Findings, Ledger, Sale, Stocked, judge, judge_shop

TEA = ("goods", "", "tea")
COUNTER = ("notes", "alice", "counter")
ONE, TWO = Sale("alice", "tea", "one"), Sale("bob", "tea", "two")


@pytest.mark.parametrize(
    ("good", "sales", "acknowledged", "refills", "found"),
    [
        pytest.param((STOCK, 0), [], {}, (0, 0), {}, id="nothing happened"),
        pytest.param(
            (STOCK - 2, 2), [ONE, TWO], {ONE: True, TWO: False}, (0, 0), {}, id="an unknown sale is there"
        ),
        pytest.param((STOCK - 1, 1), [ONE], {ONE: True, TWO: False}, (0, 0), {}, id="an unknown sale is not"),
        pytest.param((STOCK + PIECES, 0), [], {}, (1, 1), {}, id="an unknown refill is not"),
        pytest.param((STOCK + 2 * PIECES, 0), [], {}, (1, 1), {}, id="an unknown refill is there"),
        pytest.param((STOCK, 0), [], {}, (1, 1), {"lost acknowledged write": 1}, id="a refill is lost"),
        pytest.param(
            (STOCK + 3 * PIECES, 0),
            [],
            {},
            (1, 1),
            {"written without an answer": 1},
            id="a refill came twice",
        ),
        pytest.param(None, [], {}, (0, 0), {"lost acknowledged write": 1}, id="a good is gone"),
        pytest.param(
            (-1, STOCK + 1),
            [Sale("bob", "tea", str(n)) for n in range(STOCK + 1)],
            {Sale("bob", "tea", str(n)): True for n in range(STOCK + 1)},
            (0, 0),
            {"stock below zero": 1},
            id="more is sold than there was",
        ),
        pytest.param(
            (STOCK - 1, 1),
            [],
            {ONE: False},
            (0, 0),
            {"transaction half done": 1},
            id="a sale without its row",
        ),
        pytest.param(
            (STOCK, 0), [ONE], {ONE: False}, (0, 0), {"transaction half done": 1}, id="a row without its sale"
        ),
        pytest.param(
            (STOCK, 1), [ONE], {ONE: True}, (0, 0), {"transaction half done": 1}, id="the stock stayed"
        ),
        pytest.param(
            (STOCK, 0), [], {ONE: True}, (0, 0), {"lost acknowledged write": 1}, id="a sale is lost"
        ),
        pytest.param(
            (STOCK - 2, 2), [ONE, ONE], {ONE: False}, (0, 0), {"written twice": 1}, id="a sale is there twice"
        ),
        pytest.param(
            (STOCK - 1, 1), [TWO], {}, (0, 0), {"row nobody wrote": 1}, id="a refused sale is there"
        ),
        pytest.param(
            (STOCK - 1, 1),
            [ONE._replace(buyer="bob")],
            {ONE: True},
            (0, 0),
            {"lost acknowledged write": 1, "row nobody wrote": 1},
            id="a sale is another's",
        ),
    ],
)
def test_goods(
    good: tuple[int, int] | None,
    sales: list[Sale],
    acknowledged: dict[Sale, bool],
    refills: tuple[int, int],
    found: dict[str, int],
) -> None:
    findings, goods = Findings(), {} if good is None else {"tea": Stocked(*good)}
    [*judge_shop(goods, sales, [Ledger(sales=acknowledged)], [Counted(TEA, *refills)], findings)]
    assert findings.counts == found


def test_sales_are_counted_by_their_goods() -> None:
    findings = Findings()
    goods = {"tea": Stocked(STOCK - 2, 2), "cups": Stocked(STOCK, 0)}
    asked = {ONE: True, TWO: True}
    refills = [Counted(TEA), Counted(("goods", "", "cups"))]
    words = [*judge_shop(goods, [ONE, TWO], [Ledger(sales=asked, sold_out=3)], refills, findings)]
    assert words == ["2 goods: 0 refills, 3 times sold out", "2 sales: 2 acknowledged, 2 at most"]
    assert findings.counts == {}


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (2, {"lost acknowledged write": 1}),
        (3, {}),
        (5, {}),
        (6, {"written without an answer": 1}),
    ],
)
def test_counters(stored: int, found: dict[str, int]) -> None:
    counter, findings = Counted(COUNTER), Findings()
    for way, done in [("If-Match", True), ("expression", True), ("expression", True)]:
        counter.counts(way, done=done)
    counter.counts("guarded action", done=False)
    counter.counts("expression", done=False)
    words = [*judge({COUNTER: ("counter", stored)}, [], [counter], findings)]
    assert words[1] == "1 rows of many writers, 3 counts: {'If-Match': 1, 'expression': 2}"
    assert findings.counts == found


@pytest.mark.parametrize(
    ("texts", "found"),
    [([], {}), (["one"], {}), (["one", "one"], {"written twice": 1}), (["two"], {"row nobody wrote": 1})],
    ids=str,
)
def test_a_create_whose_id_is_not_known(texts: list[str], found: dict[str, int]) -> None:
    findings = Findings()
    rows = {("notes", "alice", str(n)): (text, 0) for n, text in enumerate(texts)}
    [*judge(rows, [Ledger(made={("alice", "one")})], [], findings)]
    assert findings.counts == found
