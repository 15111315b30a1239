"""The keys next to a key: none lies between, whatever the type."""

from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import pytest
from pynamodb.expressions.condition import BeginsWith
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.lists.planning import key_ranges
from polymicro_lambda.lists.planning.key_ranges import KeyRange
from polymicro_lambda.rules import holds


def next_to(key: Any, *, forward: bool) -> Any:
    found = KeyRange().beyond(key, forward=forward, inclusive=False)
    return None if found.empty else found.low if forward else found.high


def all_texts() -> list[Any]:
    """Every text of one or two bytes in UTF-8, in order."""
    ascii_, wide = map(chr, range(128)), map(chr, range(128, 0x800))
    one = [*ascii_]
    return [{"S": text} for text in sorted([*one, *map("".join, product(one, one)), *wide])]


def all_binaries() -> list[Any]:
    """Every binary value of one or two bytes, in order."""
    numbers = range(256)
    return [
        {"B": value}
        for value in sorted([*(bytes([n]) for n in numbers), *map(bytes, product(numbers, numbers))])
    ]


@pytest.mark.parametrize("keys", [all_texts(), all_binaries()], ids=["texts", "binary"])
def test_of_all_short_keys_each_is_next_to_its_neighbour(keys: list[Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(key_ranges, "RANGE_BYTES", 2)
    assert [next_to(low, forward=True) for low, _ in pairwise(keys)] == keys[1:]
    assert [next_to(high, forward=False) for _, high in pairwise(keys)] == keys[:-1]
    assert (next_to(keys[-1], forward=True), next_to(keys[0], forward=False)) == (None, None)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("0", "1E-130"),
        ("-1E-130", "0"),
        ("1E-130", f"1.{'0' * 36}1E-130"),
        ("1", f"1.{'0' * 36}1"),
        ("-1", f"-0.{'9' * 38}"),
        ("9.9", f"9.9{'0' * 35}1"),
    ],
)
def test_numbers(low: str, high: str) -> None:
    up, down = next_to({"N": low}, forward=True), next_to({"N": high}, forward=False)
    assert (Decimal(up["N"]), Decimal(down["N"])) == (Decimal(high), Decimal(low))


def test_there_is_no_number_beyond_the_greatest() -> None:
    greatest = f"9.{'9' * 37}E+125"
    assert next_to({"N": greatest}, forward=True) is None
    assert next_to({"N": f"-{greatest}"}, forward=False) is None


def test_long_texts_and_surrogates() -> None:
    """No text holds half of a surrogate pair."""
    assert next_to({"S": "x" * 1024}, forward=True) == {"S": "x" * 1023 + "y"}
    assert next_to({"S": "x" * 1023 + "\x7f"}, forward=True) == {"S": "x" * 1022 + "y"}
    assert next_to({"S": "\U0010ffff" * 256}, forward=True) is None
    assert next_to({"S": "\ue000"}, forward=False) == {"S": "\ud7ff" + "\U0010ffff" * 255 + "\x7f"}
    assert next_to({"S": "x" * 1021 + "\ud7ff"}, forward=True) == {"S": "x" * 1021 + "\ue000"}


s = Path(["s"])
A, B, C = ({"S": letter} for letter in "abc")


@pytest.mark.parametrize(
    ("condition", "after_b", "before_b"),
    [
        (None, s > Value(B), s < Value(B)),
        (s == Value(B), False, False),
        (s == Value(C), s == Value(C), False),
        (s >= Value(A), s > Value(B), s.between(Value(A), Value(B))),
        (s > Value(B), s > Value(B), False),
        (s < Value(C), s.between(Value(B), Value(C)), s < Value(B)),
        (s.between(Value(A), Value(C)), s.between(Value(B), Value(C)), s.between(Value(A), Value(B))),
        (BeginsWith(s, Value({"S": "b"})), BeginsWith(s, Value({"S": "b"})), False),
    ],
)
def test_what_is_left_of_a_range(condition: Any, after_b: Any, before_b: Any) -> None:
    """Judged on keys around: the closed bounds that a query takes are other ones than those of the table."""
    for forward, rest in ((True, after_b), (False, before_b)):
        found = KeyRange.of(condition).beyond(B, forward=forward, inclusive=False)
        assert found.empty is (rest is False)
        for text in ("a", "a~", "b", "b\0", "b~", "c", "c\0") if rest is not False else ():
            item = {"s": {"S": text}}
            beyond = text > "b" if forward else text < "b"
            wanted = beyond and (condition is None or holds(condition, item))
            left = found.condition("s")
            assert (left is not None and holds(left, item)) is wanted, text
