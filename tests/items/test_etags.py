"""Entity tags: which item has which, what a header names, and how the two are compared."""

import re
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.models import Model

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.items.etags import EntityTagger, EntityTags, canonical_bytes


class Plain(Model):
    id = UnicodeAttribute(hash_key=True)


class Versioned(Model):
    id = UnicodeAttribute(hash_key=True)
    count = VersionAttribute(attr_name="v")


ID = {"id": {"S": "1"}}
TAGGER = EntityTagger.of("a secret")


def test_the_tag_of_a_versioned_item_is_its_version() -> None:
    assert TAGGER.strong(Versioned, {**ID, "v": {"N": "17"}}) == '"17"'


def test_what_is_shown_is_the_second_part_of_a_tag() -> None:
    shown = TAGGER.shown('"17"', b"{}")
    assert re.fullmatch(r'"17\.[\w-]{22}"', shown)
    assert shown != TAGGER.shown('"17"', b"[]")
    tags = EntityTags.read(f'"a", {shown}', "If-Match")
    assert tags is not None
    assert [tags.match('"17"'), tags.match(shown), tags.match('"18"')] == [True, False, False]
    assert [tags.match_weakly('"17"'), tags.match_weakly(shown)] == [False, True]


def test_an_item_from_before_there_were_versions_has_a_digest() -> None:
    assert TAGGER.strong(Versioned, ID) == TAGGER.strong(Plain, ID)


def test_a_digest_is_strong_and_has_128_bits() -> None:
    """22 characters of base64url, which can stand in a header as they are."""
    tag = TAGGER.strong(Plain, ID)
    assert (tag[0], tag[-1], len(tag), tag.isascii()) == ('"', '"', 24, True)


def test_the_tag_of_a_list_is_weak() -> None:
    assert TAGGER.weak(b"[]").startswith('W/"')
    assert len(TAGGER.weak(b"[]")) == 26
    assert TAGGER.weak(b"[1]") != TAGGER.weak(b"[]")


def test_a_digest_tells_nothing_without_the_secret() -> None:
    """Who sees half of an item cannot try values for the other half until the tag fits."""
    assert EntityTagger.of("another").strong(Plain, ID) != TAGGER.strong(Plain, ID)
    assert EntityTagger.of("another").weak(b"[]") != TAGGER.weak(b"[]")
    assert EntityTagger.of("a secret").strong(Plain, ID) == TAGGER.strong(Plain, ID)


# One item, stored in two spellings that DynamoDB itself does not tell apart.
SAME: dict[str, tuple[Any, Any]] = {
    "order of attributes": ({"a": {"S": "1"}, "b": {"S": "2"}}, {"b": {"S": "2"}, "a": {"S": "1"}}),
    "number": ({"a": {"N": "1"}}, {"a": {"N": "1.0"}}),
    "number with exponent": ({"a": {"N": "100"}}, {"a": {"N": "1E+2"}}),
    "set of text": ({"a": {"SS": ["x", "y"]}}, {"a": {"SS": ["y", "x"]}}),
    "set of numbers": ({"a": {"NS": ["1", "2"]}}, {"a": {"NS": ["2.0", "1"]}}),
    "set of binaries": ({"a": {"BS": [b"x", b"y"]}}, {"a": {"BS": [b"y", b"x"]}}),
    "members of a map": (
        {"a": {"M": {"x": {"S": "1"}, "y": {"N": "2"}}}},
        {"a": {"M": {"y": {"N": "2.0"}, "x": {"S": "1"}}}},
    ),
    "number in a list": ({"a": {"L": [{"N": "1"}]}}, {"a": {"L": [{"N": "1.0"}]}}),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_one_item_has_one_tag(one: Any, other: Any) -> None:
    assert canonical_bytes(one) == canonical_bytes(other)
    assert TAGGER.strong(Plain, one) == TAGGER.strong(Plain, other)


DIFFERENT: dict[str, tuple[Any, Any]] = {
    "value": ({"a": {"S": "1"}}, {"a": {"S": "2"}}),
    "type": ({"a": {"S": "1"}}, {"a": {"N": "1"}}),
    "binary and its base64": ({"a": {"B": b"x"}}, {"a": {"S": "eA=="}}),
    "name": ({"a": {"S": "1"}}, {"b": {"S": "1"}}),
    "null and absent": ({"a": {"NULL": True}}, {}),
    "empty text and null": ({"a": {"S": ""}}, {"a": {"NULL": True}}),
    "order of a list": ({"a": {"L": [{"S": "x"}, {"S": "y"}]}}, {"a": {"L": [{"S": "y"}, {"S": "x"}]}}),
    "list and set": ({"a": {"L": [{"S": "x"}]}}, {"a": {"SS": ["x"]}}),
    "boolean and number": ({"a": {"BOOL": True}}, {"a": {"N": "1"}}),
    "case": ({"a": {"S": "x"}}, {"a": {"S": "X"}}),
    "digits past a double": ({"a": {"N": "9007199254740993"}}, {"a": {"N": "9007199254740992"}}),
    "attribute that the model does not declare": ({**ID, "other": {"S": "1"}}, ID),
    "members named as types": (
        {"a": {"M": {"N": {"S": "1"}, "SS": {"S": "x"}}}},
        {"a": {"M": {"N": {"S": "1"}, "SS": {"S": "y"}}}},
    ),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_two_items_have_two_tags(one: Any, other: Any) -> None:
    assert TAGGER.strong(Plain, one) != TAGGER.strong(Plain, other)


# --- headers

HEADERS: dict[str, tuple[str | None, EntityTags | None]] = {
    "none": (None, None),
    "any": ("*", EntityTags(any=True)),
    "any among blanks": ("  * ", EntityTags(any=True)),
    "a tag that is a star": ('"*"', EntityTags(frozenset({'"*"'}))),
    "one": ('"a"', EntityTags(frozenset({'"a"'}))),
    "weak": ('W/"a"', EntityTags(weak=frozenset({'"a"'}))),
    "several": ('"a", W/"b","c"', EntityTags(frozenset({'"a"', '"c"'}), frozenset({'"b"'}))),
    "empty members": (', "a",, ', EntityTags(frozenset({'"a"'}))),
    "no tag": ("", EntityTags()),
    "blanks": (" " * 5000, EntityTags()),
    "empty tag": ('""', EntityTags(frozenset({'""'}))),
    "comma inside": ('"a,b"', EntityTags(frozenset({'"a,b"'}))),
    "what may stand in a tag": ('"!#~\xe9"', EntityTags(frozenset({'"!#~\xe9"'}))),
}


@pytest.mark.parametrize(("header", "tags"), HEADERS.values(), ids=HEADERS)
def test_headers(header: str | None, tags: EntityTags | None) -> None:
    assert EntityTags.read(header, "If-Match") == tags


MALFORMED = ["a", '"a', 'a"', '"a" "b"', "'a'", 'w/"a"', 'W/ "a"', "W/*", '*, "a"', '"a", *', '"a b"', '"\t"']


@pytest.mark.parametrize(
    "header", [*MALFORMED, "," * 5000 + "x", '"a"' * 2000, '"a",' * 2000 + "x"], ids=lambda h: h[:9]
)
def test_malformed_headers(header: str) -> None:
    """Refused in time that grows with the header alone; the answer says which one it was."""
    with pytest.raises(BadRequest, match="If-None-Match"):
        EntityTags.read(header, "If-None-Match")


# header, the item's tag, whether If-Match holds, whether If-None-Match knows it (RFC 9110, section 8.8.3.2)
COMPARED: dict[str, tuple[str, str, bool, bool]] = {
    "strong and strong": ('"1"', '"1"', True, True),
    "weak and strong": ('W/"1"', '"1"', False, True),
    "strong and weak": ('"1"', 'W/"1"', False, True),
    "weak and weak": ('W/"1"', 'W/"1"', False, True),
    "another": ('"2"', '"1"', False, False),
    "one of several": ('"2", "1"', '"1"', True, True),
    "case": ('"A"', '"a"', False, False),
    "any": ("*", '"1"', True, True),
    "none": ("", '"1"', False, False),
    "the same number in other digits": ('"01"', '"1"', False, False),
}


@pytest.mark.parametrize(("header", "tag", "strongly", "weakly"), COMPARED.values(), ids=COMPARED)
def test_comparison(header: str, tag: str, strongly: bool, weakly: bool) -> None:
    tags = EntityTags.read(header, "If-Match")
    assert tags is not None
    assert (tags.match(tag), tags.match_weakly(tag)) == (strongly, weakly)


DIGITS = "9" * 38
VERSIONS: dict[str, tuple[str, list[str]]] = {
    "one": ('"3"', ["3"]),
    "several": ('"3", "12"', ["12", "3"]),
    "zero": ('"0"', ["0"]),
    "weak": ('W/"3"', []),
    "any": ("*", []),
    "a digest among them": ('"3", "T1PNoYwrqgwDVLtfmj7L5Q"', []),
    "leading zero": ('"03"', []),
    "sign": ('"-3"', []),
    "fraction": ('"3.0"', []),
    "what was shown of it besides": (f'"3.{"x" * 22}", "3", "12.{"-" * 22}"', ["12", "3"]),
    "no digest behind it": (f'"3.{"x" * 21}"', []),
    "other digits": ('"\xb2"', []),
    "as long as DynamoDB takes": (f'"{DIGITS}"', [DIGITS]),
    "longer": (f'"{DIGITS}9"', []),
    "as many as DynamoDB takes": (",".join(f'"{n}"' for n in range(100)), sorted(map(str, range(100)))),
    "more": (",".join(f'"{n}"' for n in range(101)), []),
}


@pytest.mark.parametrize(("header", "versions"), VERSIONS.values(), ids=VERSIONS)
def test_versions_that_dynamodb_can_compare(header: str, versions: list[str]) -> None:
    """All or none: a condition that knew half of the tags would refuse what the other half allows."""
    tags = EntityTags.read(header, "If-Match")
    assert tags is not None
    assert tags.versions() == versions
