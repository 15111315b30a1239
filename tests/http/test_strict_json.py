"""JSON in is strict, JSON out is compact."""

from contextlib import suppress
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import strict_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b' {"a": [1, true, "\xc3\xa4"]} ', {"a": [1, True, "ä"]}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b"1180591620717411303425", 2**70 + 1),
        (b"3.0", 3.0),
        (b"0.1", 0.1),
        (b"1e3", 1000.0),
        (b"0.12345678901234567890123456789012345678", Decimal("0.12345678901234567890123456789012345678")),
        (b"1e-308", 1e-308),
        (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
        (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"{}", {}),
    ],
    ids=repr,
)
def test_documents_are_read_exactly(body: bytes, value: Any) -> None:
    read = strict_json.read_json(body)
    assert (read, type(read)) == (value, type(value))


REFUSED = {
    "empty": (b"", "The body is not JSON: Expecting value at line 1, column 1."),
    "cut off": (b'{"a":', "The body is not JSON: Expecting value at line 1, column 6."),
    "a rest": (b"{} {}", "The body is not JSON: Extra data at line 1, column 4."),
    "single quotes": (
        b"{'a':1}",
        "The body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2.",
    ),
    "NaN": (b"[NaN]", "The body is not JSON: NaN is not a JSON number."),
    "Infinity": (b'{"a":-Infinity}', "The body is not JSON: -Infinity is not a JSON number."),
    "1e999": (b"1e999", "The body holds a number that no parser can carry: 1e999."),
    "1e-999999999": (b"1e-999999999", "The body holds a number that no parser can carry: 1e-999999999."),
    "an exponent past Decimal's": (
        b"0e99999999999999999999",
        "The body holds a number that no parser can carry: 0e999999999999999999.",
    ),
    "a member twice": (b'{"a":1,"b":2,"a":1}', 'The body names "a" twice in one object.'),
    "a member twice inside": (b'[{"b":{"a":1,"a":1}}]', 'The body names "a" twice in one object.'),
    "a member twice, once escaped": (b'{"a":1,"\\u0061":1}', 'The body names "a" twice in one object.'),
    "Latin-1": (b'"\xe4"', "The body is not UTF-8: byte 1 cannot be read."),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "The body is not UTF-8: byte 0 cannot be read."),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "The body is not UTF-8: byte 1 cannot be read."),
    "arrays too deep": (b"[" * 200_000 + b"]" * 200_000, "The body is nested too deep."),
    "objects too deep": (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "The body is nested too deep."),
}


@pytest.mark.parametrize(("body", "detail"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_strict_json_is_a_bad_request(body: bytes, detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        strict_json.read_json(body)
    assert caught.value.detail == detail


@pytest.mark.parametrize("digits", [38, 4299, 4300, 4301, 100_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_long_integers_are_exact(digits: int, sign: str) -> None:
    """What is read can be written; past CPython's bound for int it is a Decimal."""
    text = sign + "9" * digits
    number = strict_json.read_json(text)
    assert number == Decimal(text)
    assert strict_json.json_text({"a": number}) == f'{{"a":{text}}}'


@pytest.mark.parametrize("digits", [4301, 1_000_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_longer_integers_of_a_parser_are_refused_soon(digits: int, sign: int) -> None:
    """To write out the longest of them would take seconds."""
    number = sign << (digits * 10 // 3)
    began = process_time()
    with pytest.raises(BadRequest) as caught:
        strict_json.as_read({"a": number})
    assert caught.value.detail == "The body holds an integer of more than 4300 digits: send it as a text."
    assert process_time() - began < 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, True], "b": "ä"}, '{"a":[1,null,true],"b":"ä"}'),
        ("</script>", '"</script>"'),
        ("a\x00\n", '"a\\u0000\\n"'),
        (2**70 + 1, "1180591620717411303425"),
    ],
    ids=repr,
)
def test_documents_are_written_compact_as_utf_8(value: Any, text: str) -> None:
    assert strict_json.json_bytes(value) == text.encode()


def test_default_turns_the_unknown_into_json() -> None:
    assert strict_json.json_bytes({"a": Decimal("1.5")}, default=str) == b'{"a":"1.5"}'
    with pytest.raises(TypeError):
        strict_json.json_bytes(Decimal("1.5"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]])
def test_no_nan_goes_out(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        strict_json.json_bytes(value)


EXACT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abäö"), inner, max_size=4),
    max_leaves=12,
)


@given(EXACT)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert strict_json.read_json(strict_json.json_bytes(value)) == value


@given(
    st.binary(max_size=60) | st.from_regex(rb"-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?([eE][-+]?[0-9]{1,30})?")
)
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with suppress(BadRequest):
        strict_json.read_json(body)
