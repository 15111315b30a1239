"""The changes of tables' indexes between a template and its classes: DynamoDB takes one index of a table at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from polymicro_lambda.cli.template_texts import read_template
from polymicro_lambda.deploy import Part
from polymicro_lambda.deploy import next_index_step as one_step
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.project import UsageError


@dataclass(frozen=True, slots=True)
class Steps:
    """The parts to write, and messages about the steps that are left."""

    parts: Sequence[Part]
    messages: Sequence[str] = ()


def index_steps(parts: Sequence[Part], old: str, *, one_by_one: bool) -> Steps:
    """The parts; with ``one_by_one`` at most one index of each table is new or gone since the text ``old``."""
    before = _tables(old)
    tables = [part for part in parts if part.name in before and _properties(part)]
    steps = {part.name: one_step(before[part.name], _properties(part)) for part in tables if one_by_one}
    messages = [
        f"{name}: deploy, then run this again to {', '.join(left)}"
        for name, (_, left) in steps.items()
        if left
    ]
    if not one_by_one:
        messages = [text for part in tables for text in _warnings(part, before[part.name])]
    return Steps(
        [_with_properties(part, steps[part.name][0]) if part.name in steps else part for part in parts],
        messages,
    )


def _warnings(part: Part, before: Mapping[str, Any]) -> Iterator[str]:
    """The changes of the table that DynamoDB refuses in one update."""
    try:
        _, remaining = one_step(before, _properties(part))
    except ConfigurationError as error:
        yield f"{part.name}: {error}"
    else:
        if remaining:
            yield f"{part.name}: more than one index changes, of which DynamoDB takes one at a time: use --staged"


def _properties(part: Part) -> dict[str, Any]:
    """A table's properties; none of another part."""
    properties: dict[str, Any] = part.body.get(part.name, {}).get("Properties", {})
    return properties if "KeySchema" in properties else {}


def _with_properties(part: Part, properties: Mapping[str, Any]) -> Part:
    return replace(part, body={part.name: {**part.body[part.name], "Properties": properties}})


def _tables(text: str) -> dict[str, Any]:
    """The properties of the text's tables, by their names in it."""
    try:
        resources = read_template(text).get("Resources") or {}
    except yaml.YAMLError as error:
        raise UsageError(f"The template is not YAML: {error}.") from error
    kind = "AWS::DynamoDB::Table"
    return {name: one["Properties"] for name, one in resources.items() if one.get("Type") == kind}
