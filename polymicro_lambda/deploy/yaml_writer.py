"""Plain values as YAML that a person would have written, with CloudFormation's short forms and comments."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 110
"""Columns of a line: the members of a longer one stand below one another."""
INLINE_MEMBERS = 3
"""Members of a mapping that may stand in one line."""

_PLAIN = re.compile(r"[A-Za-z_/](?:[\w ./()'{}+,;-]|:(?=\S))*(?<! )")  # no indicator of YAML 1.2, chapter 5.3
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})  # of YAML 1.1
_SHORT_FORMS = {
    "Ref": "!Ref",
    "Fn::Sub": "!Sub",
    "Fn::GetAtt": "!GetAtt",
    "Fn::Equals": "!Equals",
    "Fn::If": "!If",
}


class Commented(str):
    """A key, or an element of a list, with a comment that stands over it in YAML and nowhere else."""

    __slots__ = ("comment",)
    comment: str

    def __new__(cls, text: str, comment: str) -> "Commented":
        """The text with this comment."""
        commented = super().__new__(cls, text)
        commented.comment = comment
        return commented


def dump(value: Mapping[str, Any], *, indent: int = 0) -> str:
    """The mapping as lines of YAML, ``indent`` columns in, in its own order; ends with a newline."""
    return "".join(f"{' ' * indent}{line}\n" for line in _mapping(value, indent))


def _mapping(value: Mapping[str, Any], column: int) -> Iterator[str]:
    for key, member in value.items():
        yield from _comment(key, column)
        name = _scalar(key)
        head, *below = _value(member, column + 2, len(name))
        yield f"{name}: {head}" if head else f"{name}:"
        yield from (f"  {line}" for line in below)


def _sequence(values: Sequence[Any], column: int) -> Iterator[str]:
    for value in values:
        comments, lines = _element(value, column + 2)
        yield from comments
        yield f"- {lines[0]}"
        yield from (f"  {line}" for line in lines[1:])


def _element(value: Any, column: int) -> tuple[list[str], list[str]]:
    """The comment over an element, which a mapping has from its first key, and the element's lines."""
    if not isinstance(value, Mapping) or _one_line(value, column) is not None:
        return _comment(value, column), _value(value, column)
    lines = list(_mapping(value, column))
    count = len(_comment(next(iter(value)), column))
    return lines[:count], lines[count:]


def _value(value: Any, column: int, used: int = 0) -> list[str]:
    """The first line goes behind a key of ``used`` letters, and is empty where all of the value stands below it."""
    if (line := _one_line(value, column + used)) is not None:
        return [line]
    if isinstance(value, str):
        return _folded(value, WIDTH - column)
    if isinstance(value, Mapping):
        return ["", *_mapping(value, column)]
    return ["", *_sequence(value, column)]


def _folded(text: str, width: int) -> list[str]:
    """A long text in several lines, which YAML joins by single spaces: one with other white space is quoted."""
    if " ".join(text.split()) != text:
        return [_scalar(text)]
    return [">-", *textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)]


def _one_line(value: Any, column: int) -> str | None:
    line = _inline(value)
    fits = line is not None and (column + len(line) <= WIDTH or _is_unbreakable(value))
    return line if fits else None


def _is_unbreakable(value: Any) -> bool:
    """Whether it is a function of CloudFormation's of one word: below its key it would be as long."""
    return _short_form(value) is not None and all(
        isinstance(one, str) and _is_word(one) for one in value.values()
    )


def _inline(value: Any) -> str | None:
    """The value in one line, None where a person would not write it so."""
    if not isinstance(value, Mapping | list | tuple):
        return _scalar(value)
    if isinstance(value, Mapping):
        return _short_form(value) or _flow_mapping(value)
    parts = [_inline(part) for part in value]
    commented = any(isinstance(part, Commented | Mapping) and not _short_form(part) for part in value)
    return None if commented or None in parts else f"[{', '.join(map(_flow, value))}]"


def _flow_mapping(value: Mapping[str, Any]) -> str | None:
    if not value:
        return "{}"
    if (
        not all(map(_is_word, value.values()))
        or len(value) > INLINE_MEMBERS
        or any(isinstance(k, Commented) for k in value)
    ):
        return None
    return "{" + ", ".join(f"{_flow(key)}: {_flow(one)}" for key, one in value.items()) + "}"


def _is_word(value: Any) -> bool:
    """Whether the value is no collection and no prose."""
    if isinstance(value, Mapping | list | tuple):
        return _short_form(value) is not None
    return " " not in str(value)


def _short_form(value: Any) -> str | None:
    """An intrinsic function in its short form, None for all else."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((name, argument),) = value.items()
    if name not in _SHORT_FORMS:
        return None
    if name == "Fn::GetAtt":
        return f"{_SHORT_FORMS[name]} {'.'.join(argument)}"
    line = _inline(argument)
    return line and f"{_SHORT_FORMS[name]} {line}"


def _flow(value: Any) -> str:
    """The value inside brackets, where commas and braces mean something."""
    if isinstance(value, str) and re.search(r"[{},\[\]]", value):
        return json.dumps(value, ensure_ascii=False)
    return _inline(value) or ""


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def _comment(value: Any, column: int) -> list[str]:
    if not isinstance(value, Commented):
        return []
    return textwrap.wrap(value.comment, WIDTH - column, initial_indent="# ", subsequent_indent="# ")
