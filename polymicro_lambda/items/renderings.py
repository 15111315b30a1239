"""A stored item's JSON text and the canonical content of its entity tag, in one pass over its attributes."""

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
    """As `ItemReader.text` gives it."""
    content: bytes
    """As `canonical_bytes` gives it."""


class _AttributeRenderer(NamedTuple):
    """One attribute in both forms."""

    stored: str
    kind: str
    write: Callable[[Any], str]
    place: int
    """Its index in the text."""
    prefix: str | None
    """The canonical form before its value, None where `canonical_member` writes the whole."""
    write_canonical: Callable[[Any], str] | None
    """Writes its value in the canonical form, None where that has the same text."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the items of a model that has a reader, and no version, which would be the tag."""

    attributes: tuple[_AttributeRenderer, ...]
    """In the canonical order."""
    absent: tuple[str | None, ...]
    """The texts of absent values, None where that takes an instance, in the order of the text."""
    form: str
    """As `ItemReader.form`."""

    @classmethod
    def of(cls, reader: ItemReader) -> "Renderer":
        """The renderer of the attributes of a reader."""
        attributes = [_attribute_renderer(place, *writer[:3]) for place, writer in enumerate(reader.writers)]
        return cls(
            tuple(sorted(attributes, key=lambda one: one.stored)),
            tuple(writer[3] for writer in reader.writers),
            reader.form,
        )

    def rendered(self, raw: RawItem) -> Rendering | None:
        """An item in both forms, None where each has to be made by itself."""
        texts, canonical = [*self.absent], []
        try:
            for stored, kind, write, place, prefix, write_canonical in self.attributes:
                value = raw.get(stored)
                if not value:
                    continue
                texts[place] = text = write(value[kind])
                if prefix is None or len(value) != 1:
                    canonical.append(canonical_member(stored, value))
                else:
                    canonical_text = write_canonical(value[kind]) if write_canonical else text
                    canonical.append(f"{prefix}{canonical_text}]]]")
        except Exception:  # noqa: BLE001 - null, or a poison row: the attribute itself says what is wrong
            return None
        if len(canonical) != len(raw) or None in texts:  # an undeclared attribute is in the tag alone
            return None
        return Rendering(self.form % (*texts,), f"[{','.join(canonical)}]".encode())


@cache
def renderer_of(model: type[Model]) -> Renderer | None:
    """The renderer of a model's items, None where it has no reader, or a version."""
    reader = reader_of(model) if model_info(model).version is None else None
    return None if reader is None else Renderer.of(reader)


def _attribute_renderer(
    place: int, stored: str, kind: str, write: Callable[[Any], str]
) -> _AttributeRenderer:
    plain = kind in ("S", "BOOL") and stored not in CANONICAL_FORMS
    prefix = f'[{encode_basestring(stored)},[["{kind}",' if plain else None
    return _AttributeRenderer(
        stored, kind, write, place, prefix, _CANONICAL_WRITERS.get(write, encode_basestring)
    )


_CANONICAL_WRITERS: Mapping[Callable[[Any], str], Callable[[Any], str] | None] = {
    encode_basestring: None,
    boolean_text: None,
    datetime_text: '"{}"'.format,  # nothing in it needs an escape
}
"""Writer of a value's text -> writer of its canonical form, None where that is the same text."""
