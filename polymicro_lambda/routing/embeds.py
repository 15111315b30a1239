"""`One` and `Many`: items of other resources that stand in the answers of one, read and checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.rules import Method, can_be_key
from polymicro_lambda.spelling import did_you_mean

from .embed import Embed
from .routes import Route

EMBED = "embed"
"""The parameter of a query that asks for them."""
MOST = 100
"""The most items of a ``Many``: the largest page of a list, unless its resource says another."""


class One:
    """An item of another resource, by its key: ``One(Accounts, {"id": "author"}, fields=("username", "image"))``.

    ``key`` says for each key attribute of the other model the attribute of this one that has its value; the item may
    have the name of such an attribute, in whose place it stands then. ``fields`` are those that are shown; without
    ``always`` it is shown where ``?embed=`` asks for it. It is checked when the app compiles.
    """

    __slots__ = ("always", "fields", "key", "resource")
    verb = "retrieve"
    """The verb for which the rule of the other resource must let the user have an item."""

    def __init__(
        self,
        resource: type[ModelResource],
        key: Mapping[str, str],
        *,
        fields: Iterable[str] | str | None = None,
        always: bool = False,
    ) -> None:
        self.resource = resource
        self.key = key
        self.fields = fields
        self.always = always

    def check_key(self, where: str, other: Route) -> None:
        """Raise ``ConfigurationError`` where the key is not the whole key of the other model."""
        names = model_info(other.model).address
        if set(self.key) != set(names):
            raise ConfigurationError(
                f"{where}: the key must say {', '.join(names)} of {other.model.__name__}, not {_said(self.key)}"
            )


class Many:
    """Items of another resource in one partition: ``Many(Comments, {"article": "id"}, limit=10)``.

    ``key`` says the partition key of the other model's table, or of an index of it, and the attribute of this model
    that has its value; of a composed key it says all parts. The first ``limit`` items are shown, on an item alone and
    not in lists. The rest is as of ``One``.
    """

    __slots__ = ("always", "fields", "key", "limit", "resource")
    verb = "list"
    """As of ``One``."""

    def __init__(
        self,
        resource: type[ModelResource],
        key: Mapping[str, str],
        *,
        limit: int = 10,
        fields: Iterable[str] | str | None = None,
        always: bool = False,
    ) -> None:
        self.resource = resource
        self.key = key
        self.limit = limit
        self.fields = fields
        self.always = always

    def check_key(self, where: str, other: Route) -> None:
        """Raise ``ConfigurationError`` where the key is the partition key of no table or index that has all items."""
        if type(self.limit) is not int or not 1 <= self.limit <= MOST:
            raise ConfigurationError(f"{where}: limit must be an int from 1 to {MOST}, not {self.limit!r}")
        attributes, planner = other.model.get_attributes(), other.resource.planner
        said = {attributes[name].attr_name for name in self.key if name in attributes}
        usable = [path for path in planner.paths if set(path.parts_of(path.partition)) == said]
        usable = usable if len(said) == len(self.key) else []
        if usable and all(path.sparse for path in usable):
            raise ConfigurationError(
                f"{where}: the index {usable[0].index} lacks items without {usable[0].sort}: that may not be null"
            )
        if not usable:
            partitions = sorted({" with ".join(path.parts_of(path.partition)) for path in planner.paths})
            raise ConfigurationError(
                f"{where}: the key must say the partition key of the table or an index of {other.model.__name__},"
                f" one of {', '.join(partitions)}, not {_said(self.key)}"
            )


def link_embeds(routes: Sequence[Route]) -> None:
    """Give each route what its answers can show of other resources.

    Raises ``ConfigurationError`` that names resource and embed for what can be none.
    """
    by_resource: dict[type, list[Route]] = {}
    for route in routes:
        by_resource.setdefault(type(route.resource), []).append(route)
    for own in by_resource.values():
        embeds = tuple(_embeds(own[0], by_resource))
        for route in own if embeds else ():
            answers = not (route.verb == "delete" and route.is_default)
            route.embeds = embeds if answers else ()


def _embeds(route: Route, by_resource: Mapping[type, Sequence[Route]]) -> Iterator[Embed]:
    """What a resource declares; ``route`` is one of its own."""
    name, declared = type(route.resource).__name__, route.resource.embed
    if not isinstance(declared, Mapping):
        raise ConfigurationError(
            f'{name}.embed must be a dict, such as {{"author": One(…)}}, not {declared!r}'
        )
    if declared and EMBED in route.filters.parameters:
        raise ConfigurationError(f"{name}.filters: ?{EMBED}= asks for what {name}.embed declares")
    for member, said in declared.items():
        where = f"{name}.embed[{member!r}]"
        if not isinstance(said, One | Many):
            raise ConfigurationError(f"{where} must be One(…) or Many(…), not {said!r}")
        other = _other(where, said, by_resource)
        _check_key(where, said, route.model, other)
        _check_name(where, member, said, route)
        yield Embed(
            member,
            other,
            Method(said.verb, "GET"),
            dict(said.key),
            _fields(where, said.fields, other),
            _flag(where, said.always),
            said.limit if isinstance(said, Many) else None,
        )


def _check_name(where: str, member: Any, said: One | Many, route: Route) -> None:
    """Raise ``ConfigurationError`` for the name of a field, unless it is the field that says the item's key."""
    if not isinstance(member, str) or not member.isidentifier():
        raise ConfigurationError(f"{where}: a member's name is a text such as 'author'")
    if isinstance(said, One) and member in said.key.values():
        return  # the item stands in place of its key
    if member in route.schema.members or member in route.model.get_attributes():
        raise ConfigurationError(
            f"{where}: {route.model.__name__} has a field of this name: take another one"
        )


def _other(where: str, said: One | Many, by_resource: Mapping[type, Sequence[Route]]) -> Route:
    """A route of the other resource: that of the verb whose rule is asked, if it has one."""
    kind = type(said).__name__
    if not (isinstance(said.resource, type) and issubclass(said.resource, ModelResource)):
        raise ConfigurationError(f"{where}: {kind} takes a resource class, not {said.resource!r}")
    routes = by_resource.get(said.resource)
    if routes is None:
        other = said.resource.__name__
        raise ConfigurationError(f"{where}: {other} is not of this app: write {other}(pm)")
    return next((one for one in routes if one.verb == said.verb and not one.is_action), routes[0])


def _check_key(where: str, said: One | Many, model: type[Model], other: Route) -> None:
    if not isinstance(said.key, Mapping) or not said.key:
        raise ConfigurationError(f'{where}: the key is a dict such as {{"id": "author"}}, not {said.key!r}')
    said.check_key(where, other)
    theirs, attributes = other.model.get_attributes(), model.get_attributes()
    for key, name in said.key.items():
        if name not in attributes:
            near = did_you_mean(name, attributes) if isinstance(name, str) else ""
            raise ConfigurationError(f"{where}: {model.__name__} has no attribute {name!r}{near}")
        if not can_be_key(attributes[name], theirs[key]):
            raise ConfigurationError(
                f"{where}: {name} is a {type(attributes[name]).__name__}, which can be no {key} of"
                f" {other.model.__name__}"
            )


def _fields(where: str, said: Any, other: Route) -> frozenset[str] | None:
    if said is None:
        return None
    names = frozenset({said} if isinstance(said, str) else said)
    unknown = sorted(map(str, names.difference(other.schema.names)))
    if unknown or not names:
        shown = ", ".join(other.schema.names)
        raise ConfigurationError(
            f"{where}: fields names {', '.join(unknown) or 'nothing'}; {type(other.resource).__name__} shows {shown}"
        )
    return names


def _flag(where: str, said: Any) -> bool:
    if type(said) is not bool:
        raise ConfigurationError(f"{where}: always must be True or False, not {said!r}")
    return said


def _said(key: Mapping[str, Any]) -> str:
    return ", ".join(map(str, key))
