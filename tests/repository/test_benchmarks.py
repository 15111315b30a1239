"""The benchmarks, without the clock: the handlers that are compared are alike, and the tables say what was measured."""

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import agreement, plot, report
from benchmarks.asked import CASES, VERBS
from benchmarks.goals import ARTIFACT, Goal, Results, goals
from benchmarks.lineup import COLD, OURS, RAW, SAME_API, WARM, stub
from benchmarks.rounds import Series, rotated
from benchmarks.runs import SIZES, Cold, Growth
from benchmarks.worker import PEERS, Context
from polymicro_lambda.project.isolation import FAKE_AWS, forget_connections

ROOT = Path(__file__).parents[2]
HERE = ("by_botocore", "by_pynamodb", "on_polymicro")
"""The peers that need no more than this package's own tests."""


@pytest.fixture
def handlers(table_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Mapping[str, Any]]]:
    """Makes the peers' handlers by name, each fresh, of events alone."""
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TODO_TABLE", table_name)
    monkeypatch.syspath_prepend(PEERS)
    before = set(sys.modules)

    def make() -> Mapping[str, Any]:
        made = {name: import_module(name).make() for name in HERE}
        return {
            name: lambda event, handler=handler: handler(event, Context()) for name, handler in made.items()
        }

    yield make
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "").startswith(str(PEERS)):
            del sys.modules[name]
    forget_connections()


def test_the_handlers_answer_alike(
    dynamodb: None, table_name: str, handlers: Callable[[], Mapping[str, Any]]
) -> None:
    client = agreement.client_of()
    agreement.create(client, table_name)
    answers = {}
    for name, handler in handlers().items():
        agreement.fill(client, table_name)
        answers[name] = agreement.told(handler)
    assert list(agreement.differences(answers)) == []


def test_the_handlers_answer_alike_over_the_stub(
    handlers: Callable[[], Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stub() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        answers = {name: agreement.told(handler, VERBS) for name, handler in handlers().items()}
    assert list(agreement.differences(answers, VERBS)) == []


def test_another_answer_is_found() -> None:
    right = {name: (ask.status, {"text": "milk"}) for name, ask in CASES.items()}
    wrong = right | {"GET": (200, {"text": "bread"})}
    assert list(agreement.differences({"one": right, "other": wrong})) == [
        "GET: other answers (200, {'text': 'bread'}), one (200, {'text': 'milk'})"
    ]
    assert list(agreement.differences({"one": right | {"GET": (404, None)}})) == ["GET: 404, not 200: None"]


# --- rounds ----------------------------------------------------------------------------------------------


def test_each_begins_a_round_in_turn() -> None:
    asked: list[str] = []
    series = Series.measured(("a", "b", "c"), 3, lambda who: asked.append(who) or float(len(asked)))
    assert "".join(asked) == "abcbcacab"
    assert list(rotated("ab", 3)) == ["b", "a"]
    assert series.figures == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}
    assert series.median("b") == 4
    assert series.ratio("a", "b") == 8 / 9  # of 1/2, 6/4 and 8/9


# --- what is written ---------------------------------------------------------------------------------------


def warm(*, ours: float) -> dict[str, Series[Any]]:
    """Figures in which all but ours need 100 µs."""
    return {verb: Series({p: [ours if p is OURS else 100.0] * 3 for p in WARM}) for verb in VERBS}


def results(*, ours: float = 50.0) -> Results:
    titles = (*(peer.title for peer in COLD), ARTIFACT)
    one = Series({title: [5.0 if "polymicro" in title else 10.0] for title in titles})
    by_size = dict.fromkeys(SIZES, 3.0)
    made = {verb: [("GetItem", 1.0)] for verb in VERBS}
    return Results(
        warm=warm(ours=ours),
        bare=warm(ours=ours),
        cold=Cold(one, one, one, one),
        growth=Growth({OURS.title: by_size}, by_size, 30.0, 90.0),
        calls={RAW.title: made, OURS.title: made},
    )


def test_goals_are_met_or_not() -> None:
    assert {goal.title for goal in goals(results()) if not goal.met} == {
        "framework only, LIST 20 to Powertools",
        "the access log's share of GET, Powertools' logger, to raw",
        "the access log's share of GET, a standard logger, to raw",
    }
    slow = {goal.title for goal in goals(results(ours=107.0)) if not goal.met}
    assert {"warm, GET to raw", "warm, LIST 20 to raw", "warm, DELETE to raw"} <= slow
    assert "warm, PATCH to raw" not in slow
    rows = [Goal("compile", 40.126, must, 40, " ms").row() for must in (40.13, 40)]
    assert rows == [
        "| compile | 40.1 ms | 40.1 ms | 40 ms | met |",
        "| compile | 40.1 ms | 40 ms | 40 ms | **not met** |",
    ]


def test_a_table_says_what_was_measured() -> None:
    lines = list(report.of_warm(warm(ours=50.0), RAW))
    assert lines[0] == "|  | GET | LIST 20 | POST | PATCH | DELETE |"
    assert lines[2] == f"| {RAW.title} |" + " 1 (100 µs) |" * 5
    assert lines[3] == f"| {OURS.title} |" + " 0.50 |" * 5
    assert len(lines) == 2 + len(WARM)


def test_what_is_written_stands_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    report.write(page, ["one", "two"])
    assert page.read_text() == f"before\n\n{report.BEGIN}\n\none\ntwo\n\n{report.END}\n\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match=r"page\.md has no markers"):
        report.write(page, [])
    assert page.read_text() == "no markers"


def test_the_page_has_its_markers() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1


def test_the_picture_has_a_bar_for_each_figure(tmp_path: Path) -> None:
    plot.draw(tmp_path / "plot.svg", warm(ours=50.0))
    texts = [
        each.text for each in ElementTree.parse(tmp_path / "plot.svg").iter() if each.tag.endswith("text")
    ]
    assert texts.count("0.50") == len(VERBS)
    assert texts.count("1.00") == len(VERBS) * (len(SAME_API) - 1)
