"""The policy of a function within IAM's sizes: in its role, or in policies of its own that the role takes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .common_resources import resource
from .generated_parts import Part

INLINE = 10_240
"""Characters of all policies in a role (IAM quotas, "Role inline policies"; white space does not count)."""
MANAGED = 6_144
"""Characters of a policy of its own (the same, "Managed policies")."""
MOST_MANAGED = 8
"""Policies of its own that a role takes: 10 (the same), of which SAM attaches one for logs and one for traces."""
LONGEST_ARN = len("arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:table/")
STACK_NAME = 128
"""Characters of a stack's name (CloudFormation quotas), which is put before a table's."""
TABLE_NAME = 255
"""Characters of a table's name (DynamoDB, naming rules)."""
_AROUND = len('{"Version":"2012-10-17","Statement":[]}')


def policies_of(
    name: str, statements: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[list[Any], list[Part]]:
    """The ``Policies`` of a function, and the resources that they refer to: none where all fits into its role.

    ``names`` has the name of the table of each resource. Raises ``ConfigurationError`` for more than IAM takes.
    """
    if not statements:
        return [], []
    if _AROUND + sum(_size(one, names) + 1 for one in statements) <= INLINE:
        return [_document(statements)], []
    groups = list(_grouped(_merged(statements), names))
    if len(groups) > MOST_MANAGED:
        raise ConfigurationError(
            f"the function's policy needs {len(groups)} policies of {MANAGED} characters, and a role takes"
            f" {MOST_MANAGED}: split the app, or put several models into one table"
        )
    ids = [f"{name}Policy{number}" for number in range(1, len(groups) + 1)]
    parts = [
        Part("Resources", one, {one: _managed(group)}, f"what {name} may do, part {number} of {len(groups)}")
        for number, (one, group) in enumerate(zip(ids, groups, strict=True), 1)
    ]
    return [{"Ref": one} for one in ids], parts


def _document(statements: Sequence[Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _managed(statements: Sequence[Any]) -> dict[str, Any]:
    return resource("AWS::IAM::ManagedPolicy", {"PolicyDocument": _document(statements)})


def _merged(statements: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One statement for each set of actions, whose resources go to all its tables."""
    places: dict[tuple[str, ...], list[Any]] = {}
    for one in statements:
        given = one["Resource"]
        places.setdefault(tuple(one["Action"]), []).extend(given if isinstance(given, list) else [given])
    for actions, resources in places.items():
        yield {"Effect": "Allow", "Action": list(actions), "Resource": resources}


def _grouped(
    statements: Iterable[dict[str, Any]], names: Mapping[str, str]
) -> Iterator[list[dict[str, Any]]]:
    """The statements in as many groups as policies of their own take, their resources divided among these."""
    group: list[dict[str, Any]] = []
    room = MANAGED - _AROUND
    for one in statements:
        bare = len(json.dumps({**one, "Resource": []}, separators=(",", ":"))) + 1
        opened = False
        for place in one["Resource"]:
            needed = _arn(place, names) + 3 + (0 if opened else bare)
            if needed > room:
                yield group
                group, room, opened = [], MANAGED - _AROUND, False
                needed = _arn(place, names) + 3 + bare
            if not opened:
                group.append({**one, "Resource": []})
                opened = True
            group[-1]["Resource"].append(place)
            room -= needed
    yield group


def _size(statement: Mapping[str, Any], names: Mapping[str, str]) -> int:
    """The most characters that a statement has when its resources are there."""
    given = statement["Resource"]
    places = given if isinstance(given, list) else [given]
    bare = {str(name): one for name, one in statement.items()} | {"Resource": []}
    return len(json.dumps(bare, separators=(",", ":"))) + sum(_arn(place, names) + 3 for place in places)


def _arn(place: Any, names: Mapping[str, str]) -> int:
    """The most characters of a table's ARN, or of that of its index."""
    if "Fn::GetAtt" in place:
        logical_id, more = place["Fn::GetAtt"][0], ""
    else:
        logical_id, _, more = place["Fn::Sub"].removeprefix("${").partition(".Arn}")
    table = min(TABLE_NAME, STACK_NAME + 1 + len(names[logical_id]))
    return LONGEST_ARN + table + len(more)
