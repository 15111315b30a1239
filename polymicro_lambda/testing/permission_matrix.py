"""A matrix of permissions: each user, verb and instance as a request, its outcome compared with a table in text."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any, Protocol
from urllib.parse import quote

from pynamodb.models import Model

from polymicro_lambda import dynamodb
from polymicro_lambda.dynamodb import has_table, model_info
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
"""Word of the table -> its statuses."""


class App(Protocol):
    """An app, such as ``PolyMicro``."""

    routes: tuple[Route, ...]

    def compile(self) -> Handler:
        """The app's handler."""


def assert_permission_matrix(
    app: App,
    users: Mapping[str, User | None],
    instances: Mapping[str, Model | Mapping[str, str]],
    expected: str,
    *,
    resource: type | None = None,
    bodies: Mapping[str, Any] | None = None,
) -> None:
    """Fail with the table as it is unless each request is answered as ``expected`` says.

    ``expected`` is a table in text: first ``user verb`` and the names of instances, then a line for each user and
    verb with a status, ``allow``, ``deny`` (401, 403) or ``hidden`` (404) under each instance. Its tables must be
    there; each request finds just these instances, and at the end all is as it was. ``resource`` is the class,
    where a verb is of several; ``bodies`` are those of verbs, else ``{}``. For a verb of a ``Resource``, which has no
    instances, there stand the parameters of its path, ``{}`` for none. Raises ``ValueError`` for a name that
    is not known.
    """
    header, *lines = [line.split() for line in expected.splitlines() if line.strip()]
    client = Client(app.compile())
    matrix = _Matrix(client, users, instances, bodies or {}, _routes(app, resource))
    names = header[2:]
    _check(header, lines, names, matrix)
    items = [one for one in instances.values() if isinstance(one, Model)]
    with _only_items(items, app.routes) as restore:
        actual = [matrix.line(line, names, restore) for line in lines]
    if actual != lines:
        raise AssertionError(f"Expected:\n{_table(header, lines)}\n\nFound:\n{_table(header, actual, lines)}")


@dataclass(frozen=True, slots=True)
class _Matrix:
    client: Client
    users: Mapping[str, User | None]
    instances: Mapping[str, Model | Mapping[str, str]]
    bodies: Mapping[str, Any]
    routes: Sequence[Route]

    def route(self, verb: str, instance: Model | Mapping[str, str]) -> Route:
        """The route of a verb; of an update that by PATCH. Raises ``ValueError`` for none or several."""
        model = type(instance) if isinstance(instance, Model) else None
        named = [route for route in self.routes if route.verb == verb and route.http != "PUT"]
        routes = [r for r in named if (r.model if has_table(r.model) else None) is model]
        if len(routes) != 1:
            of = "resources without a model" if model is None else model.__name__
            raise ValueError(f"{len(routes)} routes of {of} are {verb!r}: name the resource, and its verb.")
        return routes[0]

    def line(self, expected: list[str], names: list[str], restore: Callable[[], None]) -> list[str]:
        """The line of the table as the requests are answered; before each request the items are restored."""
        user, verb, *cells = expected
        actual = []
        for name, cell in zip(names, cells, strict=True):
            restore()
            actual.append(_cell(cell, self.status(user, verb, name)))
        return [user, verb, *actual]

    def status(self, user: str, verb: str, name: str) -> int:
        """The status of one request."""
        instance = self.instances[name]
        route = self.route(verb, instance)
        said = instance.__getitem__ if isinstance(instance, Mapping) else partial(getattr, instance)
        values = {param: quote(str(said(param)), safe="") for param in route.params}
        path = route.template.format_map(values)
        body = {} if route.http in ("GET", "DELETE") else {"json": self.bodies.get(verb, {})}
        return self.client.as_(self.users[user]).request(route.http, path, **body).status


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
    """The expected cell where the status fits it, else the status."""
    return expected if status in WORDS.get(expected, ()) or expected == str(status) else str(status)


def _table(header: list[str], lines: list[list[str]], expected: Sequence[list[str]] = ()) -> str:
    """Columns in text; an exclamation mark follows a cell that differs from the expected one."""
    marked = [
        [cell if want in (None, cell) else f"{cell}!" for cell, want in zip_longest(line, other or ())]
        for line, other in zip_longest(lines, expected)
    ]
    rows = [header, *marked]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


# --- the items -------------------------------------------------------------------------------------------


@contextmanager
def _only_items(instances: Collection[Model], routes: Iterable[Route]) -> Iterator[Callable[[], None]]:
    """A function that leaves the instances alone in their tables; at the end the tables hold their former items."""
    given: dict[type[Model], list[RawItem]] = {type(instance): [] for instance in instances}
    for instance in instances:
        given[type(instance)].append(instance.serialize())
    given |= _reservations({route.uniqueness for route in routes if route.uniqueness and route.writes}, given)
    before = {model: _items(model) for model in given}
    try:
        yield partial(_replace_items, given)
    finally:
        _replace_items(before)


def _reservations(
    unique: Iterable[UniqueConstraints], given: Mapping[type[Model], list[RawItem]]
) -> dict[type[Model], list[RawItem]]:
    """The reservations of the items' unique values, by their tables."""
    reserved: dict[type[Model], list[RawItem]] = {}
    for constraints in unique:
        items = given.get(constraints.model, ())
        taken = [Reservations.of(constraints, _key(constraints.model, raw), None, raw).takes for raw in items]
        if items:
            reserved[constraints.reservation_table] = [one.item for takes in taken for one in takes]
    return reserved


def _replace_items(tables: Mapping[type[Model], list[RawItem]]) -> None:
    for model, wanted in tables.items():
        stored = _items(model)
        for raw in stored:
            if raw not in wanted:
                dynamodb.execute(model, "DeleteItem", Key=_key(model, raw))
        for raw in wanted:
            if raw not in stored:
                dynamodb.execute(model, "PutItem", Item=raw)


def _key(model: type[Model], raw: RawItem) -> RawItem:
    names = [attribute.attr_name for attribute in model_info(model).keys.values()]
    return {name: raw[name] for name in names}


def _items(model: type[Model]) -> list[RawItem]:
    page = dynamodb.execute(model, "Scan", ConsistentRead=True)
    items = page.get("Items", [])
    while "LastEvaluatedKey" in page:
        page = dynamodb.execute(
            model, "Scan", ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"]
        )
        items += page["Items"]
    return list(items)
