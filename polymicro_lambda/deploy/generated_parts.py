"""The generated parts of a template file: they are replaced in place, and lines written by hand stay as they are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .yaml_writer import dump

_MARKER_LINE = re.compile(r" *# (?P<side>>>>|<<<) polymicro (?P<name>\w+)\b.*")


@dataclass(frozen=True, slots=True)
class Part:
    """Some members of one section of the template, made anew by each run."""

    section: str
    """The key at the top, e.g. ``Resources``."""
    name: str
    """The name in its comment lines; one part of each name."""
    body: Mapping[str, Any]
    note: str
    """Its origin, as its first comment line says it."""

    @property
    def lines(self) -> list[str]:
        """Its lines in the file, from its first comment line to its last."""
        text = dump(self.body, indent=2)
        begin, end = f"  # >>> polymicro {self.name}: {self.note}", f"  # <<< polymicro {self.name}"
        return [begin, *text.splitlines(), end]


def as_dict(parts: Sequence[Part]) -> dict[str, Any]:
    """The parts as one template, section by section."""
    template: dict[str, Any] = {}
    for part in parts:
        template.setdefault(part.section, {}).update(part.body)
    return template


def merge_parts(text: str, parts: Sequence[Part]) -> str:
    """The text with its generated parts replaced by these; a new one stands behind the one before it.

    Raises ``ConfigurationError`` for marks without their match, and where lines added by hand would be left without
    the part that they belong to.
    """
    lines = text.splitlines()
    names = {part.name for part in parts}
    for name in [name for name in _spans(lines) if name not in names]:
        _remove(lines, name)
    behind: dict[str, int] = {}
    for part in parts:
        spans = _spans(lines)
        if part.name in spans:
            lines[spans[part.name]] = part.lines
        else:
            _insert(lines, part, behind.get(part.section))
        behind[part.section] = _end(lines, _spans(lines)[part.name].stop)
    return "\n".join(lines) + "\n"


def has_parts(text: str) -> bool:
    """Whether some part of the text is generated."""
    return bool(_spans(text.splitlines()))


def _marker_lines(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(lines):
        if (match := _MARKER_LINE.fullmatch(line)) is not None:
            yield number, match["side"], match["name"]


def _spans(lines: Sequence[str]) -> dict[str, slice]:
    """The lines of each part, its comment lines included."""
    spans: dict[str, slice] = {}
    marks = list(_marker_lines(lines))
    for begin, end in zip(marks[::2], marks[1::2] or [(0, "", "")], strict=False):
        if (begin[1], end[1]) != (">>>", "<<<") or begin[2] != end[2] or begin[2] in spans:
            raise ConfigurationError(f"the marks of the generated part {begin[2]!r} are broken: mend them")
        spans[begin[2]] = slice(begin[0], end[0] + 1)
    if len(marks) % 2:
        raise ConfigurationError(f"the generated part {marks[-1][2]!r} has one mark: mend it")
    return spans


def _end(lines: Sequence[str], stop: int) -> int:
    """The line after a part and all that was added by hand to its last member."""
    while stop < len(lines) and lines[stop].startswith("   "):
        stop += 1
    return stop


def _remove(lines: list[str], name: str) -> None:
    span = _spans(lines)[name]
    if _end(lines, span.stop) != span.stop:
        raise ConfigurationError(
            f"the generated part {name!r} goes, but lines added by hand continue it: move or delete them"
        )
    _delete(lines, span)
    heading = lines[span.start - 1] if span.start else ""
    rest = lines[span.start : span.start + 1]
    if heading.endswith(":") and heading[:1] not in ("", " ", "#") and not (rest and rest[0].startswith(" ")):
        _delete(lines, slice(span.start - 1, span.start))  # nothing is left in its section


def _delete(lines: list[str], span: slice) -> None:
    """Lines with the empty one behind them."""
    del lines[span]
    if lines[span.start : span.start + 1] == [""]:
        del lines[span.start]


def _insert(lines: list[str], part: Part, place: int | None) -> None:
    """A part of its own: behind the one before it, else first in its section, else in a section at the end."""
    if place is not None:
        lines[place:place] = ["", *part.lines]
    elif f"{part.section}:" in lines:
        at = lines.index(f"{part.section}:") + 1
        lines[at:at] = [*part.lines, ""]
    else:
        lines += ["", f"{part.section}:", *part.lines]
