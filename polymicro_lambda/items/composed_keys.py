"""Composed keys of items that are written: made of their parts, or refused."""

from pynamodb.models import Model

from polymicro_lambda.dynamodb import ModelInfo
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import RawItem


def composed_of_new(about: ModelInfo, raw: RawItem) -> RawItem:
    """The composed keys of a new item, by their names in DynamoDB. Raises ``UnfitPart``."""
    made = {name: one.value(raw) for name, one in about.composed.items()}
    return {name: value for name, value in made.items() if value is not None}


def missing_part(about: ModelInfo, instance: Model, name: str) -> str:
    """The attribute that an instance lacks where it lacks one of this name: of a composed key a part."""
    parts = [part.name for one in about.composed.values() if one.name == name for part in one.parts]
    return next((part for part in parts if getattr(instance, part) is None), name)


def check_not_composed(about: ModelInfo, model: type[Model], name: str) -> None:
    """Raise ``ConfigurationError`` for the name of a composed key, which nobody writes itself."""
    made = about.parts_of(name)
    if made is not None:
        raise ConfigurationError(f"{model.__name__}.{name} is made of {made}: write these, and leave it out")
