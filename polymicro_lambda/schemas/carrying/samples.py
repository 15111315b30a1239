"""Values for trying a field: what it loads of some JSON."""

from collections.abc import Iterator
from typing import Any

from marshmallow import fields

from polymicro_lambda.schemas import fields as ours

SAMPLES: tuple[Any, ...] = (
    *(
        "a",
        "A",
        1,
        "1",
        1.5,
        True,
        False,
        "2030-01-31T12:00:00+00:00",
        "2030-01-31T12:00:00",
        "2030-01-31",
        "12:00:00",
    ),
    *(
        "00000000-0000-4000-8000-000000000000",
        "a@example.com",
        "https://example.com/",
        "192.0.2.1",
        "2001:db8::1",
    ),
    *("YQ==", [], {}),
)
"""JSON of which every field of marshmallow's loads some, but for those that have fields inside."""
DEEPEST = 4
"""So many fields inside of one another are tried: a schema may nest itself."""


def sample_values(field: fields.Field[Any]) -> Iterator[Any]:
    """Some values that a field loads, without its validators."""
    for sample in _samples(field, 0):
        try:
            value = _loaded(field, sample)
        except Exception:  # nosec B112 # noqa: BLE001, S112 - a class of the app's may raise anything
            continue
        yield value


def _loaded(field: fields.Field[Any], sample: Any) -> Any:
    return field._deserialize(sample, getattr(field, "name", None) or "", {})


def _samples(field: fields.Field[Any], level: int) -> Iterator[Any]:
    """JSON that a field may take."""
    if level == DEEPEST:
        return
    if isinstance(field, fields.Enum):
        yield from (sample for member in field.enum for sample in (member.name, member.value))
    elif isinstance(field, ours.EnumField):
        yield from field.members
    elif isinstance(field, fields.Nested):
        one = {
            member.data_key or name: sample
            for name, member in field.schema.load_fields.items()
            for sample in _first(member, level + 1)
        }
        yield [one] if field.schema.many else one
    elif isinstance(field, fields.List):
        yield _first(field.inner, level + 1)
    elif isinstance(field, fields.Tuple):
        yield [sample for inner in field.tuple_fields for sample in _first(inner, level + 1)]
    else:
        yield from SAMPLES


def _first(field: fields.Field[Any], level: int) -> list[Any]:
    """The first sample that a field takes, in a list; none in an empty one."""
    for sample in _samples(field, level):
        try:
            _loaded(field, sample)
        except Exception:  # nosec B112 # noqa: BLE001, S112 - as above
            continue
        return [sample]
    return []
