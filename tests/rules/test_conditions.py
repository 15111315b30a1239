"""Conditions on raw items. Every row of ``ROWS`` was first seen on DynamoDB's engine."""

from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import (
    BeginsWith,
    Between,
    Comparison,
    Condition,
    In,
    IsType,
    size,
)
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.rules.conditions.evaluation import equality_of, holds
from polymicro_lambda.rules.conditions.paths import attributes_of


class Task(Model):
    class Meta:
        table_name = "tasks"

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    rank = NumberAttribute(default=0)


ITEM: dict[str, dict[str, Any]] = {
    "s": {"S": "aé😀"},
    "a": {"S": "a"},
    "low": {"S": "\uff5e"},
    "high": {"S": "\U00010000"},
    "empty": {"S": ""},
    "n": {"N": "1.0"},
    "one": {"N": "1"},
    "ten": {"N": "10"},
    "nines": {"N": "9" * 38},
    "b": {"B": b"\x80\x01"},
    "t": {"BOOL": True},
    "f": {"BOOL": False},
    "t2": {"BOOL": True},
    "u": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2.50"]},
    "bs": {"BS": [b"a", b"b"]},
    "l": {"L": [{"N": "1"}, {"S": "a"}, {"L": [{"N": "2"}]}, {"SS": ["a", "b"]}]},
    "m": {"M": {"x.y": {"N": "1"}, "list": {"L": [{"S": "q"}]}}},
}

missing, number, text = Path("missing"), Path("n"), Path("s")
ONE = {"N": "1"}


def path(name: str) -> Path:
    return Path(name)


ROWS: dict[str, tuple[Condition, bool]] = {
    # Something missing is not equal to anything, nor in any order with it.
    "missing = value": (missing == ONE, False),
    "missing <> value": (missing != ONE, True),
    "missing < value": (missing < ONE, False),
    "missing >= value": (missing >= ONE, False),
    "not missing = value": (~(missing == ONE), True),
    "not missing < value": (~(missing < ONE), True),
    "not missing <> value": (~(missing != ONE), False),
    "missing = missing": (missing == Path("gone"), False),
    "missing <> missing": (missing != Path("gone"), True),
    "value = missing": (Value(1) == missing, False),
    "missing between": (missing.between(0, 2), False),
    "between missing bounds": (number.between(Path("gone"), 2), False),
    "missing in": (missing.is_in(1), False),
    "not missing in": (~missing.is_in(1), True),
    "missing begins with": (missing.startswith(""), False),
    "missing contains missing": (missing.contains(Path("gone")), False),
    "size of missing = value": (size("missing") == 1, False),
    "size of missing <> value": (size("missing") != 1, True),
    "missing has no type": (missing.is_type("S"), False),
    # Two types are never equal and in no order.
    "number = text": (number == "1", False),
    "number <> text": (number != "1", True),
    "number < text": (number < "2", False),
    "not number < text": (~(number < "2"), True),
    "number = bytes": (number == b"1", False),
    "one = true": (path("one") == Path("t"), False),
    "null = value null": (path("u") == None, True),  # noqa: E711  # PynamoDB's way to say it
    "null = true": (path("u") == True, False),  # noqa: E712
    # Numbers by value, text by UTF-8, bytes unsigned.
    "1.0 = 1": (number == ONE, True),
    "1.0 = 1e0": (number == {"N": "1e0"}, True),
    "10 > 9": (path("ten") > 9, True),
    "38 digits differ in the last": (path("nines") == {"N": "9" * 37 + "8"}, False),
    "38 digits in order": (path("nines") > {"N": "9" * 37 + "8"}, True),
    "text by UTF-8, not UTF-16": (path("low") < Path("high"), True),
    "accents are not composed": (path("s") == "ae\u0301😀", False),
    "bytes unsigned": (path("b") > b"\x7f", True),
    "empty text is least": (path("empty") < "a", True),
    "booleans are equal": (path("t") == Path("t2"), True),
    "booleans have no order": (path("t") >= Path("t2"), False),
    # Sets, lists and maps.
    "set in any order": (path("ss") == {"SS": ["b", "a"]}, True),
    "number set by value": (path("ns") == {"NS": ["2.5", "1.00"]}, True),
    "text set is no list": (path("ss") == {"L": [{"S": "a"}, {"S": "b"}]}, False),
    "list deep": (path("m.list") == {"L": [{"S": "q"}]}, True),
    "list in order": (path("l") == {"L": [{"S": "a"}, {"N": "1"}]}, False),
    "map deep, numbers by value": (
        path("m") == {"M": {"list": {"L": [{"S": "q"}]}, "x.y": {"N": "1.00"}}},
        True,
    ),
    "sets have no order": (path("ss") <= Path("bs"), False),
    # Paths.
    "nested list": (path("l[2][0]") == 2, True),
    "dot in a name": (Path(["m", "x.y"]) == 1, True),
    "past the end": (path("l[9]").exists(), False),
    "index into a map": (path("m[0]").exists(), False),
    "name in a list": (path("l.x").exists(), False),
    "name in a number": (path("n.x").exists(), False),
    "nothing inside a number": (path("n.x").does_not_exist(), True),
    "null exists": (path("u").exists(), True),
    # size
    "size in UTF-16 units": (size("s") == 4, True),
    "size of bytes": (size("b") == 2, True),
    "size of nothing": (size("empty") == 0, True),
    "size of a set": (size("ns") == 2, True),
    "size of a list": (size("l") == 4, True),
    "size of a map": (size("m") == 2, True),
    "size against size": (size("m") == size("ss"), True),
    "size against itself": (size("m") == size("m"), True),
    "size of a number": (size("n") == 3, False),
    "size of a number differs": (size("n") != 3, True),
    "size of a boolean": (size("t") >= 0, False),
    "size of null": (size("u") >= 0, False),
    "size is no text": (Comparison("=", size("s"), Value("4")), False),
    "size is a number": (IsType(size("s"), Value("N")), True),
    # BETWEEN and IN
    "between is inclusive below": (number.between(1, 2), True),
    "between is inclusive above": (number.between(0, 1), True),
    "between other type": (number.between("0", "2"), False),
    "between paths that cross": (number.between(Path("ten"), Path("one")), False),
    "size between": (size("s").between(1, 4), True),
    "in, types mixed": (number.is_in("1", 1), True),
    "in sets": (path("ss").is_in({"SS": ["b", "a"]}), True),
    "in paths": (number.is_in(Path("gone"), Path("one")), True),
    # Functions
    "type": (path("ss").is_type("SS"), True),
    "other type": (path("ss").is_type("NS"), False),
    "begins with": (text.startswith("aé"), True),
    "begins with nothing": (text.startswith(""), True),
    "bytes begin": (BeginsWith(Path("b"), Value(b"\x80")), True),
    "text does not begin with bytes": (BeginsWith(text, Value(b"a")), False),
    "number does not begin": (number.startswith("1"), False),
    "not number begins": (~number.startswith("1"), True),
    "begins with a path": (BeginsWith(text, Path("a")), True),
    "begins with a path to a number": (BeginsWith(text, number), False),
    "substring": (text.contains("é😀"), True),
    "empty substring": (text.contains(""), True),
    "bytes within": (path("b").contains(b"\x01"), True),
    "bytes not in text": (text.contains(b"a"), False),
    "element of a set": (path("ss").contains("b"), True),
    "substring of an element": (path("l").contains(""), False),
    "number in a set": (path("ns").contains({"N": "2.5"}), True),
    "text in a number set": (path("ns").contains("1"), False),
    "bytes in a set": (path("bs").contains(b"a"), True),
    "number in a list": (path("l").contains({"N": "1.0"}), True),
    "list in a list": (path("l").contains({"L": [{"N": "2.0"}]}), True),
    "set in a list": (path("l").contains({"SS": ["b", "a"]}), True),
    "map contains nothing": (path("m").contains("list"), False),
    "number contains nothing": (number.contains(1), False),
    "contains what a path gives": (path("l").contains(Path("a")), True),
    # Junctions
    "and": ((number == 1) & (text == "a"), False),
    "or": ((number == 1) | (text == "a"), True),
    "not or": (~((number == 1) | (text == "a")), False),
}


@pytest.mark.parametrize(("condition", "answer"), ROWS.values(), ids=ROWS)
def test_holds(condition: Condition, answer: bool) -> None:
    assert holds(condition, ITEM) is answer


REFUSED: dict[str, Condition] = {
    "order of booleans": number < True,
    "order of sets": number >= {"NS": ["1"]},
    "value on the left": Value(True) < number,
    "between booleans": number.between(True, True),
    "begins with a number": BeginsWith(text, Value(1)),
    "size begins": BeginsWith(size("s"), Value("")),
    "no such type": IsType(text, Value("Q")),
    "type by a path": IsType(text, Path("a")),
    "type by a number": IsType(text, Value(1)),
    "itself": Comparison("=", text, Path("s")),
    "in itself": number.is_in(1, Path("n")),
    "between itself": Between(number, Value(0), Path("n")),
    "contains itself": text.contains(Path("s")),
    "39 digits": number != {"N": "1" * 39},
    "not a number": number != float("nan"),
    "no end": number != float("inf"),
}
REWRITTEN: dict[str, Condition] = {
    "bounds cross": number.between(2, 1),
    "text bounds cross by UTF-8": text.between("\U00010000", "\uff5e"),
    "bounds of two types": number.between(1, "2"),
    "in nothing": In(number),
    "in 101": number.is_in(*range(2, 103)),
}
"""Refused as they stand, and so never sent (`tests/rules/test_rewriting.py`); they do not hold on the item."""


@pytest.mark.parametrize("rewritten", REWRITTEN.values(), ids=REWRITTEN)
def test_what_is_written_otherwise_is_judged_by_its_meaning(rewritten: Condition) -> None:
    true = Path("one").exists()
    given = (rewritten, ~rewritten, true | rewritten, true & rewritten)
    assert [holds(each, ITEM) for each in given] == [False, True, True, False]


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_dynamodb_refuses_never_holds(refused: Condition) -> None:
    """Not by itself, not negated and not as the needless part of an OR."""
    true = Path("one").exists()
    assert [holds(given, ITEM) for given in (refused, ~refused, true | refused, true | ~refused)] == [
        False
    ] * 4


def test_in_takes_100() -> None:
    assert holds(number.is_in(*range(100)), ITEM)


def test_as_many_operators_as_dynamodb_takes() -> None:
    """300 in one expression, nested as a chain of ``&`` nests them."""
    condition = number == 1
    for _ in range(149):
        condition = condition & (number != 2)
    assert holds(condition, ITEM)


def test_no_item_is_an_empty_item() -> None:
    assert [holds(Task.owner.does_not_exist(), {}), holds(Task.owner.exists(), {})] == [True, False]


def test_what_a_model_serialises_can_be_judged() -> None:
    raw = Task("alice", rank=3).serialize()
    assert holds((Task.owner == "alice") & Task.rank.between(3, 4), raw)


UNKNOWN = {
    "operand": Comparison("=", Path("n") + 1, Value(2)),
    "operator": Condition("LIKE", Path("n"), Value(2)),
}


@pytest.mark.parametrize("condition", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_no_condition_is_a_bug(condition: Condition) -> None:
    with pytest.raises(TypeError, match=r"is not an oper(and|ator) of a condition"):
        holds(condition, ITEM)


READS: dict[str, tuple[Condition, set[str]]] = {
    "DynamoDB's name": (Task.owner == "alice", {"o"}),
    "top of a path": (Path("m.list[0]") == Path("l[0][1]"), {"m", "l"}),
    "dot in a name": (Path(["x.y", "z"]).exists(), {"x.y"}),
    "within size": (size("a.b").between(size("c"), 3), {"a", "c"}),
    "all options": (Path("a").is_in(1, Path("b"), size("c")), {"a", "b", "c"}),
    "all parts": (~(Path("a").exists() | (Path("b").contains("x") & (Path("a") != 1))), {"a", "b"}),
    "values only": (Value(1) == Value(1), set()),
}


@pytest.mark.parametrize(("condition", "names"), READS.values(), ids=READS)
def test_attributes_of(condition: Condition, names: set[str]) -> None:
    assert attributes_of(condition) == names


BINDS: dict[str, tuple[Condition, dict[str, Any]]] = {
    "alone": (Task.owner == "alice", {"o": {"S": "alice"}}),
    "value first": (Value("alice") == Path("o"), {"o": {"S": "alice"}}),
    "under and": (
        (Task.owner == "alice") & ((Task.rank == 1) & Path("x").exists()),
        {"o": {"S": "alice"}, "rank": {"N": "1"}},
    ),
    "first of two": ((Task.rank == 1) & (Task.rank == 2), {"rank": {"N": "1"}}),
    "under or": ((Task.owner == "alice") | (Task.rank == 1), {}),
    "under not": (~(Task.owner != "alice"), {}),
    "other comparison": (Task.rank >= 1, {}),
    "nested path": (Path("m.owner") == "alice", {}),
    "element": (Path("l[0]") == "alice", {}),
    "two paths": (Path("o") == Path("p"), {}),
    "size": (size("o") == 1, {}),
}


@pytest.mark.parametrize(("condition", "bound"), BINDS.values(), ids=BINDS)
def test_equality_of(condition: Condition, bound: dict[str, Any]) -> None:
    assert equality_of(condition) == bound
