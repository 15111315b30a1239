"""Items in a file become items in the app's tables: written as the app writes them, by no rule of a user's."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing import Route
from polymicro_lambda.schemas import compile_schema
from polymicro_lambda.writes import KeyTaken

from .settings import UsageError

YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Seed:
    """One item that is to be written."""

    model: str
    place: str
    """Where it stands, for messages: the model and the number of the item, from 1."""
    resource: ModelResource
    values: Mapping[str, Any]


def read_seeds(file: Path, routes: Sequence[Route]) -> list[Seed]:
    """The items of a file, each checked: ``{"Todo": [{"owner": "alice", "text": "…"}]}`` as JSON, or as YAML.

    An item has the attributes of the model by their names in Python, with values as the API has them. Raises
    ``UsageError`` that names the item and the attribute.
    """
    said = _content(file)
    resources = _resources(routes)
    if not isinstance(said, dict) or not all(isinstance(items, list) for items in said.values()):
        raise UsageError(f'{file} must hold lists of items by model, such as {{"Todo": [{{"text": "…"}}]}}.')
    for name in said:
        if name not in resources:
            known = ", ".join(resources) or "none"
            raise UsageError(f"{file}: no resource has the model {name}; there are {known}.")
    return [seed for name, items in said.items() for seed in _seeds(file, name, resources[name], items)]


def write_seeds(seeds: Sequence[Seed]) -> dict[str, tuple[int, int]]:
    """Write the items whose key is free: model -> how many were written, and how many were there already.

    Raises ``UsageError`` for an item that is refused, such as one whose unique value another item has.
    """
    counts: dict[str, tuple[int, int]] = {}
    for seed in seeds:
        new, there = counts.get(seed.model, (0, 0))
        try:
            seed.resource.store.create(seed.values)
            counts[seed.model] = (new + 1, there)
        except KeyTaken:
            counts[seed.model] = (new, there + 1)
        except HTTPError as error:
            done = sum(written for written, _ in counts.values())
            text = f"{seed.place}: {str(error).rstrip('.')}. New items before it are written: {done}."
            raise UsageError(text) from error
    return counts


def _content(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    try:
        if file.suffix in YAML:  # which has dates of its own
            return json.loads(json.dumps(yaml.safe_load(text), default=_iso))
        return json.loads(text)
    except (ValueError, TypeError, yaml.YAMLError) as error:
        kind = "YAML" if file.suffix in YAML else "JSON"
        raise UsageError(f"{file} cannot be read as {kind}: {error}") from error


def _iso(value: Any) -> str:
    """A date or a time as text. Raises ``TypeError`` for anything else."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"{type(value).__name__} is no type of JSON")


def _resources(routes: Sequence[Route]) -> dict[str, ModelResource]:
    """Model's name -> the resource that creates its items, else the first that has it.

    Raises ``UsageError`` for two models of one name: an item would go into the table of either.
    """
    models: dict[str, type[Model]] = {}
    for model in (route.model for route in routes if has_table(route.model)):
        if models.setdefault(model.__name__, model) is not model:
            places = f"{models[model.__name__].__module__} and {model.__module__}"
            raise UsageError(
                f"There are two models {model.__name__}, in {places}: name one of them differently."
            )
    with_table = [route for route in routes if has_table(route.model)]
    ordered = sorted(with_table, key=lambda route: route.verb != "create")
    return {route.model.__name__: route.resource for route in reversed(ordered)}


def _seeds(file: Path, name: str, resource: ModelResource, items: Sequence[Any]) -> Iterator[Seed]:
    schema = compile_schema(
        resource.model, resource=name, own_fields=resource.fields, validators=resource.validators
    )
    for number, item in enumerate(items, 1):
        place = f"{file}: {name}, item {number}"
        try:
            values = schema.load_create(item)
        except HTTPError as error:
            told = "; ".join(
                f"{one.get('pointer', '')} {one.get('detail', '')}".strip() for one in error.errors
            )
            raise UsageError(f"{place}: {(told or str(error)).rstrip('.')}. Nothing is written.") from error
        yield Seed(name, place, resource, values)
