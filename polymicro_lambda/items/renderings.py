"""A stored item's JSON text and what its tag is made of, in one pass over its attributes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.types import RawItem

from .etags import CANONICAL_FORMS, canonical_member
from .readers import ItemReader, boolean_text, datetime_text, reader_of


class Rendering(NamedTuple):
    """An item in two forms."""

    text: str
    """As `wire.Reader.text` gives it."""
    content: bytes
    """As `etags.canonical` gives it."""


class _Step(NamedTuple):
    """An attribute."""

    stored: str
    kind: str
    write: Callable[[Any], str]
    place: int
    """Its place in the text."""
    begin: str | None
    """What stands before its value in the canonical form, None where that form has its value in another way."""
    again: Callable[[Any], str] | None
    """What writes its value there, None where it stands there as it does in the text."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the items of a model that has a reader, and no version, which would be the tag."""

    steps: tuple[_Step, ...]
    """In the canonical order."""
    absent: tuple[str | None, ...]
    """The texts of what is absent, None where only an instance can say, in the order of the text."""
    form: str
    """The text, a place for each value in it."""

    @classmethod
    def of(cls, reader: ItemReader) -> "Renderer":
        """The renderer of what a reader reads."""
        steps = [_step(place, *writer[:3]) for place, writer in enumerate(reader.writers)]
        return cls(
            tuple(sorted(steps, key=lambda step: step.stored)),
            tuple(writer[3] for writer in reader.writers),
            reader.form,
        )

    def rendered(self, raw: RawItem) -> Rendering | None:
        """An item in both forms, None where each has to be made by itself."""
        texts, said = [*self.absent], []
        try:
            for stored, kind, write, place, begin, again in self.steps:
                value = raw.get(stored)
                if not value:
                    continue
                texts[place] = text = write(value[kind])
                if begin is None or len(value) != 1:
                    said.append(canonical_member(stored, value))
                else:
                    said.append(f"{begin}{again(value[kind]) if again else text}]]]")
        except Exception:  # noqa: BLE001 - null, or a poison row: the attribute itself says what is wrong
            return None
        if len(said) != len(raw) or None in texts:  # what is not declared is of the tag alone
            return None
        return Rendering(self.form % (*texts,), f"[{','.join(said)}]".encode())


@cache
def renderer_of(model: type[Model]) -> Renderer | None:
    """The renderer of a model's items, None where there is none."""
    reader = reader_of(model) if model_info(model).version is None else None
    return None if reader is None else Renderer.of(reader)


def _step(place: int, stored: str, kind: str, write: Callable[[Any], str]) -> _Step:
    plain = kind in ("S", "BOOL") and stored not in CANONICAL_FORMS
    begin = f'[{encode_basestring(stored)},[["{kind}",' if plain else None
    return _Step(stored, kind, write, place, begin, _AGAIN.get(write, encode_basestring))


_AGAIN: Mapping[Callable[[Any], str], Callable[[Any], str] | None] = {
    encode_basestring: None,
    boolean_text: None,
    datetime_text: '"{}"'.format,  # in which nothing is to be escaped
}
"""What writes a value as text -> what writes it in the canonical form."""
