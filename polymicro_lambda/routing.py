"""Routes: the one form in which everything about an API is known, and the tree that finds them by path."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema
from pynamodb.models import Model

from ._lazy import fill, lazy
from .actions import SAFE_METHODS, Method, Verb
from .calls import Call
from .exceptions import ConfigurationError, NotFound
from .field_rules import FieldRules
from .filters import Declared as DeclaredFilters
from .items import declared
from .rates import Rate
from .resources import ModelResource, parameter
from .rules import Owner, Rule
from .schemas import ItemSchema
from .selections import Selection
from .uniqueness import Uniqueness


@dataclass(eq=False)
class Route:
    """One HTTP verb on one path, compiled: what is asked, loaded, called and answered.

    Nobody changes one. That Python does not see to it saves a fifth of a compilation.
    """

    resource: ModelResource
    about: Verb
    http: str
    parts: tuple[str, ...]
    """The path's segments: literals, and parameters as ``{name}``."""
    rule: Rule
    visible: Rule | None
    """The rule for ``retrieve``, None where nobody can retrieve an item."""
    schema: ItemSchema
    call: Callable[..., Any]
    arguments: frozenset[str]
    """What the verb's method declares."""
    is_default: bool
    """The verb is the mixin's own: it needs no instance but its key."""
    filters: DeclaredFilters
    """What a list can be filtered by."""
    field_rules: FieldRules
    """Which fields a user may read and write."""
    markers: type[Model] | None = None
    """Where the markers of this verb's ``Idempotency-Key`` are, None where it takes none."""
    uniqueness: Uniqueness | None = None
    """What is unique among the items, None for nothing."""
    rate: Rate | None = None
    """How often a user may use this verb, None where that is not limited."""
    is_action: bool = False
    takes: Schema | None = None
    """The schema of an action's body, None where any JSON will do."""
    asks_request: bool = False
    """Some permission of the rule looks at the request."""
    calls: tuple[Call, ...] = ()
    """What the resource and its permissions say that they call by themselves."""
    whole: bool = False
    """A hook or a schema of the resource's own needs instances for what an answer shows of items."""
    limit: int = 25
    """The page size where a request says none."""
    bound: Mapping[str, Owner] = field(default_factory=dict)
    """Attributes that every caller must own."""
    bindable: frozenset[str] | None = None
    """Attributes that a request may bind to one value, None where only the request tells."""
    owned: Mapping[str, Owner] = field(default_factory=dict)
    """Attributes that a new item takes from the user where the body does not say."""
    verb: str = field(init=False, repr=False)
    """The verb's name."""
    model: type[Model] = field(init=False, repr=False)
    """The resource's model."""
    template: str = field(init=False, repr=False)
    """The path, e.g. ``/todo/{owner}/{uuid}``."""

    def __post_init__(self) -> None:
        self.verb, self.model = self.about.name, self.resource.model
        self.template = "/" + "/".join(self.parts)

    @lazy
    def params(self) -> tuple[str, ...]:
        """The names of the path's parameters, in order."""
        return tuple(name for name in map(parameter, self.parts) if name is not None)

    @lazy
    def beyond(self) -> tuple[str, ...]:
        """The path's parameters that say of an item more than its key."""
        keys = declared(self.model).keys if self.about.detail else self.params
        return tuple(name for name in self.params if name not in keys)

    @lazy
    def offered(self) -> Mapping[str, Owner]:
        """Those of ``owned`` that not every caller must own."""
        return {name: owner for name, owner in self.owned.items() if name not in self.bound}

    @lazy
    def method(self) -> Method:
        """What permissions are asked about."""
        return Method(self.verb, self.http)

    @lazy
    def selection(self) -> Selection | None:
        """What an answer shows of items, where nothing needs instances for it."""
        return None if self.whole else Selection.of(self.model, self.schema.names)

    @lazy
    def at_once(self) -> bool:
        """Whether the verb is the mixin's own, of one item by its key, and an answer shows all of what is stored."""
        shows = self.selection is not None and self.selection.names is None and self.field_rules.free
        return self.is_default and shows and self.verb != "list" and not self.beyond

    def ready(self) -> None:
        """Make what a first request would have to make."""
        for owner in (
            self,
            self.schema,
            self.field_rules,
            self.filters,
            self.resource.store,
            self.resource.planner,
        ):
            fill(owner)

    @property
    def full_name(self) -> str:
        """Resource and verb, e.g. ``TodoResource.create``."""
        return f"{type(self.resource).__name__}.{self.verb}"

    @property
    def models(self) -> tuple[type[Model], ...]:
        """The resource's model, those whose tables its code and its permissions call, and the app's own."""
        claimed = self.uniqueness.markers if self.uniqueness is not None and self.writes else None
        counters = None if self.rate is None else self.rate.counters
        ledgers = (one for one in (self.markers, claimed, counters) if one is not None)
        return (self.model, *(call.model for call in self.calls), *ledgers)

    @property
    def writes(self) -> bool:
        """Whether it may write items of the model."""
        return self.http not in SAFE_METHODS

    @property
    def takes_many(self) -> bool:
        """Whether its body may be a list of items."""
        return self.verb == "create" and not self.is_action and self.resource.max_bulk > 0


def models_of(routes: Iterable[Route]) -> dict[type[Model], None]:
    """Those of all the routes, each once, in their order."""
    models: dict[type[Model], None] = {}
    for route in routes:
        models[route.model] = None
        if route.calls or route.uniqueness or route.markers or route.rate:
            models.update(dict.fromkeys(route.models))
    return models


@dataclass
class Match:
    """The routes of one path, by HTTP verb, and the values of its parameters in order."""

    routes: Mapping[str, Route]
    values: tuple[str, ...]

    @property
    def template(self) -> str:
        """The path's template, in the words of its first route."""
        return next(iter(self.routes.values())).template

    @lazy
    def allow(self) -> str:
        """The ``Allow`` header: HEAD where GET is, and OPTIONS (RFC 9110, section 10.2.1)."""
        head = {"HEAD"} if "GET" in self.routes else set()
        return ", ".join(sorted({*self.routes, *head, "OPTIONS"}))

    def params(self, route: Route) -> dict[str, str]:
        """The parameters of the path by the names that the route gives them."""
        return dict(zip(route.params, self.values))  # noqa: B905 - they are as many


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """Finds the routes of a path: a literal segment goes before a parameter, a dead end goes back.

    Raises ``ConfigurationError`` for two of one HTTP verb on one path.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            other = self._leaf(route.parts).routes.setdefault(route.http, route)
            if other is not route:
                raise ConfigurationError(
                    f"{route.full_name} and {other.full_name} are both {route.http} {route.template}:"
                    " give one of them another route"
                )

    def _leaf(self, parts: Sequence[str]) -> _Node:
        node = self._root
        for part in parts:
            known = node.any if part[0] == "{" else node.literal.get(part)
            if known is None:
                known = _Node()
                if part[0] == "{":
                    node.any = known
                else:
                    node.literal[part] = known
            node = known
        return node

    def find(self, segments: Sequence[str]) -> Match:
        """The routes of a path. Raises ``NotFound``."""
        node, values = self._root, []
        for segment in segments:
            next_ = node.literal.get(segment)
            if next_ is None:
                values.append(segment)
                next_ = node.any
            elif node.any is not None:  # this one first, then the other: most paths never meet both
                return self._searched(segments)
            if next_ is None:
                break
            node = next_
        else:
            if node.routes:
                return Match(node.routes, tuple(values))
        raise NotFound("There is nothing at this path.")

    def _searched(self, segments: Sequence[str]) -> Match:
        found = _search(self._root, segments, 0, ())
        if found is None:
            raise NotFound("There is nothing at this path.")
        return found


def _search(node: _Node, segments: Sequence[str], place: int, values: tuple[str, ...]) -> Match | None:
    if place == len(segments):
        return Match(node.routes, values) if node.routes else None
    literal = node.literal.get(segments[place])
    found = _search(literal, segments, place + 1, values) if literal is not None else None
    if found is None and node.any is not None:
        found = _search(node.any, segments, place + 1, (*values, segments[place]))
    return found
