"""The limits of AWS on a template: where a figure is above one, the template is refused before it is written."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .policies import MOST_MANAGED
from .yaml_writer import dump

_SPLIT = "split the app into several stacks, or put several models into one table"


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure of a template beside the most that AWS takes."""

    figure: int
    most: int
    noun: str
    by: str
    """The service that takes no more."""
    advice: str = _SPLIT

    @property
    def holds(self) -> bool:
        """Whether the figure is within the limit."""
        return self.figure <= self.most


CLOUDFORMATION = "CloudFormation"
OF_A_FUNCTION = 3
"""Resources that SAM makes besides a function: its role, a version and an alias."""
OF_AN_API = 4
"""Besides the API: a deployment, a stage, and permissions of its authorizers."""
OF_A_STACK = 10_000
"""Bytes that SAM adds to a template: roles, stages and deployments (some 5,000 measured)."""
OF_A_VERB = 50
"""Bytes that SAM adds to a verb of the API: its authorizer (36 measured)."""
OF_A_PREFLIGHT = 1_200
"""Bytes that SAM adds to a path of a REST API that answers preflights itself (1,040 measured)."""
OF_PATHS = 300
"""Parts of paths of a REST API, routes of an HTTP API (API Gateway quotas, "Resources" and "Routes per API")."""
_APIS = {"AWS::Serverless::Api": "rest", "AWS::Serverless::HttpApi": "http"}


def limits_of(made: Mapping[str, Any]) -> tuple[Limit, ...]:
    """The figures of a template as SAM translates it, at the most, each beside its limit."""
    resources = made.get("Resources", {})
    functions = {name: one for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}
    apis = [one for one in resources.values() if one["Type"] in _APIS]
    count = len(resources) + len(functions) * OF_A_FUNCTION + len(apis) * OF_AN_API
    return (
        Limit(count, 500, "resources", CLOUDFORMATION),
        Limit(len(made.get("Outputs", {})), 200, "outputs", CLOUDFORMATION),
        Limit(len(made.get("Parameters", {})), 200, "parameters", CLOUDFORMATION),
        # 1 MB in S3; whether that is 1,000,000 or 1,048,576 it does not say.
        Limit(max(len(dump(made).encode()), _translated(made, apis)), 1_000_000, "bytes", CLOUDFORMATION),
        *(_of_api(one) for one in apis),
        Limit(_count(resources, "AWS::IAM::ManagedPolicy"), MOST_MANAGED, "policies of its own", "a role"),
        *(_of_environment(name, one) for name, one in functions.items()),
    )


def _count(resources: Mapping[str, Any], kind: str) -> int:
    return sum(one["Type"] == kind for one in resources.values())


def _translated(made: Mapping[str, Any], apis: Iterable[Mapping[str, Any]]) -> int:
    """Bytes of the template when SAM has put into it what each verb and each preflight needs besides."""
    size = len(json.dumps(made).encode()) + OF_A_STACK
    for api in apis:
        paths = _paths(api)
        size += sum(map(len, paths.values())) * OF_A_VERB
        size += len(paths) * OF_A_PREFLIGHT if "Cors" in api["Properties"] else 0
    return size


def _paths(api: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    paths: Mapping[str, Mapping[str, Any]] = api["Properties"]["DefinitionBody"]["paths"]
    return paths


def _of_api(made: Mapping[str, Any]) -> Limit:
    """A REST API counts each part of a path, an HTTP API each verb on each path."""
    paths = _paths(made)
    if _APIS[made["Type"]] == "rest":
        return Limit(len(_path_parts(paths)), OF_PATHS, "parts of paths", "a REST API")
    return Limit(sum(map(len, paths.values())), OF_PATHS, "routes", "an HTTP API")


def _path_parts(paths: Iterable[str]) -> set[str]:
    """All paths, and all that lead to them, the root among them."""
    segments = [path.strip("/").split("/") for path in paths]
    return {"/".join(path[:length]) for path in segments for length in range(len(path) + 1)}


def _of_environment(name: str, made: Mapping[str, Any]) -> Limit:
    """AWS Lambda quotas: 4 KB of names and values, before CloudFormation has put in what it knows."""
    variables = made["Properties"].get("Environment", {}).get("Variables", {})
    size = len(json.dumps(variables).encode())
    return Limit(size, 4_096, f"bytes of {name}'s environment", "Lambda", "shorten the title of the app")


def limit_table(limits: Iterable[Limit]) -> list[str]:
    """The figures and their limits as lines of text."""
    rows = [(one.noun, f"{one.figure:,}", f"{one.most:,}", one.by) for one in limits]
    head = ("figure", "here", "most", "taken by")
    width = max(len(row[0]) for row in (head, *rows))
    return [f"{noun:{width}}{here:>12}{most:>12}  {by}" for noun, here, most, by in (head, *rows)]


def is_within(made: Mapping[str, Any]) -> bool:
    """Whether the template is within all limits."""
    return all(limit.holds for limit in limits_of(made))


def check_limits(made: Mapping[str, Any]) -> None:
    """Raise ``ConfigurationError`` for a template that AWS would refuse."""
    for limit in limits_of(made):
        if not limit.holds:
            raise ConfigurationError(
                f"the template has {limit.figure:,} {limit.noun}, and {limit.by} takes {limit.most:,}: {limit.advice}"
            )
