"""YAML 1.2, its core schema alone (yaml.org/spec/1.2.2, section 10.3): without tags, anchors and aliases."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import MAX_DEPTH, json_text, read_json
from polymicro_lambda.lazy import lazy

from .bounds import check_count
from .libraries import library

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LIKE_NUMBER = re.compile(rf"{_FRACTION.pattern}|{_OTHER_BASE.pattern}|{_NO_NUMBER.pattern}")
"""Texts that a reader of YAML 1.2 takes for numbers: they are quoted."""
_ODD_BREAK = re.compile("[\x85\u2028\u2029]")
"""Line breaks of YAML 1.1, which are none in 1.2: they are escaped, as the blanks of a folded line would stay in it."""


class YAML:
    """Renders values as YAML, and parses it; needs the extra ``yaml``.

    What is plain is read as YAML 1.2 has it: ``true`` is a boolean, ``yes`` and ``on`` are texts. What is written is
    read alike by readers of YAML 1.1. Tags, anchors, aliases and further documents are refused.
    """

    binary = False
    structured = True

    def require(self) -> None:
        """Import the library. Raises ``ConfigurationError``."""
        _ = self._library

    @lazy
    def _library(self) -> Any:
        return library("yaml", "yaml")

    @lazy
    def _dumper(self) -> Any:
        return _dumper_of(self._library)

    def render(self, value: Any) -> str:
        """The value as one document of YAML."""
        text: str = self._library.dump(
            value,
            Dumper=self._dumper,
            allow_unicode=True,
            sort_keys=False,
            default_flow_style=False,
            width=2**20,
        )
        return text.removesuffix("...\n")

    def parse(self, body: bytes) -> Any:
        """The value of a body. Raises ``BadRequest``."""
        yaml = self._library
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
        try:
            return _Reader(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))).value()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            at = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
            raise BadRequest(f"The body is not YAML{at}.") from error


def _dumper_of(yaml: Any) -> Any:
    """The class that writes: without aliases, and texts quoted that some reader would take for something else."""

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # known at run time
        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        style = '"' if _ODD_BREAK.search(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    tag = "tag:yaml.org,2002:float"
    Dumper.add_implicit_resolver(tag, re.compile(rf"^({_LIKE_NUMBER.pattern})$"), list("-+.0123456789"))
    Dumper.add_multi_representer(Decimal, lambda dumper, value: dumper.represent_scalar(tag, str(value)))
    return Dumper


class _Reader:
    """Makes a value of the events of a document."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.count = 0

    def value(self) -> Any:
        """The value of the one document."""
        event = self._next()
        while type(event).__name__ in ("StreamStartEvent", "DocumentStartEvent"):
            event = self._next()
        if type(event).__name__ == "StreamEndEvent":
            return None
        value = self._value(event, MAX_DEPTH)
        ends = [type(one).__name__ for one in (self._next(), self._next())]
        if ends != ["DocumentEndEvent", "StreamEndEvent"]:
            raise BadRequest("The body holds more than one document of YAML.")
        return value

    def _next(self) -> Any:
        event = next(self.events)
        if getattr(event, "anchor", None) is not None:
            raise BadRequest(
                f"The body holds an anchor or alias of YAML{_place(event)}: write the value out."
            )
        if getattr(event, "tag", None) is not None:
            raise BadRequest(f"The body holds a tag of YAML{_place(event)}: leave it out.")
        return event

    def _value(self, event: Any, depth: int) -> Any:
        self.count += 1
        check_count(self.count)
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return event.value if event.style else _plain(event.value)
        if depth == 0:
            raise BadRequest("The body is nested too deep.")
        return self._members(depth) if kind == "MappingStartEvent" else self._elements(depth)

    def _elements(self, depth: int) -> list[Any]:
        found = []
        while type(event := self._next()).__name__ != "SequenceEndEvent":
            found.append(self._value(event, depth - 1))
        return found

    def _members(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while type(event := self._next()).__name__ != "MappingEndEvent":
            if type(event).__name__ != "ScalarEvent":
                raise BadRequest(f"The body names a member{_place(event)} by something else than a text.")
            if event.value in found:
                raise BadRequest(f"The body names {json_text(event.value[:50])} twice in one object.")
            found[event.value] = self._value(self._next(), depth - 1)
        return found


def _plain(text: str) -> Any:
    """The value of a scalar without quotes, in the core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        digits = text.lstrip("-+").lstrip("0") or "0"
        return read_json(f"{'-' * text.startswith('-')}{digits}")
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _NO_NUMBER.fullmatch(text):
        _refuse_number(text)
    return read_json(_as_json(text)) if _FRACTION.fullmatch(text) else text


def _as_json(number: str) -> str:
    """A number with a fraction or an exponent as JSON writes it."""
    digits, mark, exponent = number.lower().lstrip("+-").partition("e")
    whole, _, fraction = digits.partition(".")
    sign = "-" if number.startswith("-") else ""
    return f"{sign}{whole.lstrip('0') or '0'}.{fraction or '0'}{mark}{exponent}"


def _refuse_number(text: str) -> NoReturn:
    raise BadRequest(f"The body holds a number that JSON does not have: {text}.")


def _place(event: Any) -> str:
    return f" at line {event.start_mark.line + 1}, column {event.start_mark.column + 1}"
