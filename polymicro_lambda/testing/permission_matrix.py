"""A matrix of permissions: every user, verb and instance, by real requests, against a table of outcomes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol
from urllib.parse import quote

from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.http import User
from polymicro_lambda.routing import Route
from polymicro_lambda.types import Handler, RawItem
from polymicro_lambda.writes import Reservations, UniqueConstraints

from .client import Client

WORDS: Mapping[str, tuple[int, ...]] = {
    "allow": (200, 201, 202, 204),
    "deny": (401, 403),
    "hidden": (404,),
}
"""Word of the table -> the statuses that it stands for."""


class App(Protocol):
    """An app, such as ``PolyMicro``."""

    routes: tuple[Route, ...]

    def compile(self) -> Handler:
        """The app's handler."""


def assert_permission_matrix(
    app: App,
    users: Mapping[str, User | None],
    instances: Mapping[str, Model],
    expected: str,
    *,
    resource: type | None = None,
    bodies: Mapping[str, Any] | None = None,
) -> None:
    """Fail with the table as it is unless each request is answered as ``expected`` says.

    ``expected`` is a table in text: first ``user verb`` and the names of instances, then a line for each user and
    verb with a status, ``allow``, ``deny`` (401, 403) or ``hidden`` (404) under each instance. Its tables must be
    there; each request finds just these instances, and at the end all is as it was. ``resource`` is the class,
    where a verb is of several; ``bodies`` are those of verbs, else ``{}``. Raises ``ValueError`` for a name that
    is not known.
    """
    header, *lines = [line.split() for line in expected.splitlines() if line.strip()]
    client = Client(app.compile())
    matrix = _Matrix(client, users, instances, bodies or {}, _routes(app, resource))
    names = header[2:]
    _check(header, lines, names, matrix)
    with _only(instances.values(), app.routes) as put:
        found = [
            [
                *line[:2],
                *(
                    _cell(line[2 + n], matrix.status(line[0], line[1], name, put))
                    for n, name in enumerate(names)
                ),
            ]
            for line in lines
        ]
    if found != lines:
        raise AssertionError(f"Expected:\n{_table(header, lines)}\n\nFound:\n{_table(header, found, lines)}")


@dataclass(frozen=True, slots=True)
class _Matrix:
    client: Client
    users: Mapping[str, User | None]
    instances: Mapping[str, Model]
    bodies: Mapping[str, Any]
    routes: Sequence[Route]

    def route(self, verb: str, model: type) -> Route:
        """The route of a verb; of an update that by PATCH. Raises ``ValueError`` for none or several."""
        found = [r for r in self.routes if r.verb == verb and r.model is model and r.http != "PUT"]
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} routes of {model.__name__} are {verb!r}: name the resource, and its verb."
            )
        return found[0]

    def status(self, user: str, verb: str, name: str, put: Any) -> int:
        put()
        instance = self.instances[name]
        route = self.route(verb, type(instance))
        values = {param: quote(str(getattr(instance, param)), safe="") for param in route.params}
        path = route.template.format_map(values)
        said = {} if route.http in ("GET", "DELETE") else {"json": self.bodies.get(verb, {})}
        return self.client.as_(self.users[user]).request(route.http, path, **said).status


def _routes(app: App, resource: type | None) -> list[Route]:
    return [route for route in app.routes if resource is None or type(route.resource) is resource]


def _check(header: list[str], lines: list[list[str]], names: list[str], matrix: _Matrix) -> None:
    if header[:2] != ["user", "verb"] or any(len(line) != len(header) for line in lines):
        raise ValueError(
            "A matrix begins with a line 'user verb instance…', and its lines have as many cells."
        )
    unknown = ({line[0] for line in lines} - set(matrix.users)) | (set(names) - set(matrix.instances))
    cells = {cell for line in lines for cell in line[2:] if not (cell.isdecimal() or cell in WORDS)}
    if unknown or cells or not lines:
        raise ValueError(f"A matrix does not know {sorted(unknown | cells) or 'a single line'}.")


def _cell(expected: str, status: int) -> str:
    """What was expected where the status is so, else the status."""
    return expected if status in WORDS.get(expected, ()) or expected == str(status) else str(status)


def _table(header: list[str], lines: list[list[str]], wanted: Sequence[list[str]] = ()) -> str:
    """Columns in text; a cell that is not the wanted one is marked."""
    marked = [
        [cell if want in (None, cell) else f"{cell}!" for cell, want in zip_longest(line, other or ())]
        for line, other in zip_longest(lines, wanted)
    ]
    rows = [header, *marked]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


# --- the items -------------------------------------------------------------------------------------------


@contextmanager
def _only(instances: Collection[Model], routes: Iterable[Route]) -> Iterator[Any]:
    """Makes the instances all that their tables hold, each time it is asked to; at the end all is as before."""
    given: dict[type[Model], list[RawItem]] = {type(instance): [] for instance in instances}
    for instance in instances:
        given[type(instance)].append(instance.serialize())
    given |= _marked({route.uniqueness for route in routes if route.uniqueness and route.writes}, given)
    before = {model: _all(model) for model in given}

    def put() -> None:
        for model, items in given.items():
            _hold(model, items)

    try:
        yield put
    finally:
        for model, items in before.items():
            _hold(model, items)


def _marked(
    several: Iterable[UniqueConstraints], given: Mapping[type[Model], list[RawItem]]
) -> dict[type[Model], list[RawItem]]:
    """The markers of the items' unique values."""
    marked: dict[type[Model], list[RawItem]] = {}
    for one in [one for one in several if one.model in given]:
        names = [attribute.attr_name for attribute in model_info(one.model).keys.values()]
        keyed = [({name: raw[name] for name in names}, raw) for raw in given[one.model]]
        claims = [claim for key, raw in keyed for claim in Reservations.of(one, key, None, raw).takes]
        marked[one.reservation_table] = [claim.marker for claim in claims]
    return marked


def _hold(model: type[Model], wanted: list[RawItem]) -> None:
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    held = _all(model)
    for raw in held:
        if raw not in wanted:
            dynamodb.execute(model, "DeleteItem", Key={name: raw[name] for name in names})
    for raw in wanted:
        if raw not in held:
            dynamodb.execute(model, "PutItem", Item=raw)


def _all(model: type[Model]) -> list[RawItem]:
    page = dynamodb.execute(model, "Scan", ConsistentRead=True)
    found = page.get("Items", [])
    while "LastEvaluatedKey" in page:
        page = dynamodb.execute(
            model, "Scan", ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"]
        )
        found += page["Items"]
    return list(found)
