"""The items of other resources in one answer: read together, judged by their own rules, dumped by these resources."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dispatch.requests.shown_fields import ShownFields
from polymicro_lambda.dynamodb import MOST_KEYS, items_of_tables, model_info
from polymicro_lambda.exceptions import NotFound
from polymicro_lambda.http import Request
from polymicro_lambda.items import instance_of, report_unreadable
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists import rows_of
from polymicro_lambda.permissions import Through
from polymicro_lambda.routing import Embed
from polymicro_lambda.rules import (
    ConditionCheck,
    Guard,
    Method,
    RuleContext,
    Verdict,
    guarded,
    item_id,
    join_verdicts,
    prefetch_related,
    related_checks,
    stored_key_part,
)
from polymicro_lambda.schemas import is_key, key_rules
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes import PynamoStore

from .item_dumper import ItemDumper

RETRIEVE = Method("retrieve", "GET")
"""What field rules are asked about, whichever verb shows the fields."""
Place: TypeAlias = tuple[Any, ...]
"""A table and a key in it."""


class EmbeddedItems:
    """What one answer embeds: ``load`` reads for many items at once what ``members`` shows of each."""

    def __init__(self, embeds: Iterable[Embed], request: Request) -> None:
        self._parts = [(_Many if one.limit is not None else _One)(one, request) for one in embeds]

    def load(self, instances: Sequence[Model], *, alone: bool = False) -> None:
        """Read what these instances embed and nothing has read yet; lists of items for an instance ``alone``."""
        ones = [one for one in self._parts if isinstance(one, _One)]
        wanted = [one.wanted(instances) for one in ones]
        places = [*{place: pair for several in wanted for place, pair in several.items()}.items()]
        found: dict[Place, RawItem | None] = {}
        for start in range(0, len(places), MOST_KEYS):
            chunk = places[start : start + MOST_KEYS]
            items = items_of_tables([pair for _, pair in chunk])
            found.update(zip([place for place, _ in chunk], items, strict=True))
        for one, several in zip(ones, wanted, strict=True):
            one.take({place: found[place] for place in several})
        for many in self._parts if alone else ():
            many.load(instances)

    def members(self, instance: Model, hidden: frozenset[str], *, alone: bool = False) -> Mapping[str, Any]:
        """What an item shows besides its fields, but what ``hidden`` fields would say. Raises as ``load``."""
        self.load([instance], alone=alone)
        shown = [one for one in self._parts if hidden.isdisjoint(one.embed.key.values())]
        return {one.embed.name: one.shown(instance) for one in shown if alone or isinstance(one, _One)}

    @property
    def is_for_everybody(self) -> bool:
        """Whether no rule hides anything of what is embedded."""
        return all(one.is_for_everybody for one in self._parts)


class _Embedded:
    """One embed in one answer."""

    def __init__(self, embed: Embed, request: Request) -> None:
        self.embed = embed
        self.model: type[Model] = embed.route.model
        self._answered = request
        # The path is that of another resource: its values may have the names of this one's.
        self._request = request.replaced(path_params={})

    @lazy
    def dumper(self) -> ItemDumper:
        """Dumps the items as their resource would, with those fields that embed and field rules let the user see."""
        route, declared = self.embed.route, self.embed.fields
        readable, by_item, _ = route.field_rules.reading(self._context(RETRIEVE, self._request))
        shown = readable if declared is None else readable & declared
        by_item = {name: one for name, one in by_item.items() if name.partition(".")[0] in shown}
        everything = not by_item and shown.issuperset(route.schema.names)
        return ItemDumper(
            route, self._answered, ShownFields(self.model, None if everything else shown, by_item)
        )

    @lazy
    def asks_path(self) -> bool:
        """Whether some permission may look at the path, so that the rule is decided for each item by itself."""
        route = self.embed.route
        leaves = (one for one in self.embed.rule.leaves() if not isinstance(one, Through))
        return bool(route.params) and any(one.asks_request for one in leaves)

    @lazy
    def verdict(self) -> Verdict:
        """What the rule says before an item is known, where no permission looks at the path."""
        return self._decided(self._request)

    @property
    def is_for_everybody(self) -> bool:
        """Whether no rule hides an item or a field."""
        return not self.asks_path and self.verdict is True and self.embed.route.field_rules.free

    def verdict_at(self, path_params: Mapping[str, Any]) -> Verdict:
        """The same at a path of the resource; a rule that looks for more than is known of the path denies."""
        if not self.asks_path:
            return self.verdict
        if not path_params.keys() >= set(self.embed.route.params):
            return False
        return self._decided(self._request.replaced(path_params=path_params))

    def _decided(self, request: Request) -> Verdict:
        verdict, deletion = (
            self.embed.rule.decide(self._context(self.embed.method, request)),
            self.embed.route.deletion,
        )
        return verdict if deletion is None else deletion.of_live_items(verdict)

    def key_part(self, name: str, value: Any) -> dict[str, Any] | None:
        """A value as a key attribute of the other model stores it, None for what can be no key."""
        part = stored_key_part(self.model.get_attributes()[name], value)
        rule = key_rules(self.model).get(name)  # none for a part of an index's key
        return part if part is not None and (rule is None or is_key(part, rule.limit)) else None

    def load(self, instances: Sequence[Model]) -> None:
        """Read what is read for each instance by itself."""

    def shown(self, instance: Model) -> Any:
        """What an instance embeds, read before."""
        raise NotImplementedError

    def _context(self, method: Method, request: Request) -> RuleContext:
        return RuleContext(request.user, method, self.model, request)


class _One(_Embedded):
    """An item of the other resource for each instance; None where it is gone or hidden."""

    def __init__(self, embed: Embed, request: Request) -> None:
        super().__init__(embed, request)
        self._known: dict[Place, Any] = {}

    def wanted(self, instances: Iterable[Model]) -> dict[Place, tuple[type[Model], RawItem]]:
        """The items of these instances that are not known yet: where they are, and model and key."""
        if not self.asks_path and self.verdict is False:
            return {}
        keys = (self._key(one) for one in instances)
        wanted = {item_id(self.model, key): (self.model, key) for key in keys if key is not None}
        return {place: pair for place, pair in wanted.items() if place not in self._known}

    def take(self, found: Mapping[Place, RawItem | None]) -> None:
        """Judge and dump these items."""
        read = {place: self._read(raw) for place, raw in found.items()}
        states = [(instance, raw) for instance, raw in read.values() if instance is not None]
        if not self.asks_path:
            prefetch_related(related_checks(self.verdict), [raw for _, raw in states])
        allowed = [instance for instance, raw in states if self._allows(instance, raw)]
        self.dumper.prepare(allowed)
        shown = {id(one): self.dumper.dumped(one) for one in allowed}
        self._known.update({place: shown.get(id(instance)) for place, (instance, _) in read.items()})

    def shown(self, instance: Model) -> Any:
        """The item, None where there is none that the user may have."""
        key = self._key(instance)
        shown = None if key is None else self._known.get(item_id(self.model, key))
        return {**shown} if isinstance(shown, dict) else shown

    def _key(self, instance: Model) -> RawItem | None:
        attributes, stored = self.model.get_attributes(), {}
        for name, source in self.embed.key.items():
            part = self.key_part(name, getattr(instance, source))
            if part is None:
                return None
            stored[attributes[name].attr_name] = part
        return model_info(self.model).key_or_none(stored)

    def _read(self, raw: RawItem | None) -> tuple[Model | None, RawItem]:
        store = cast("PynamoStore", self.embed.route.resource.store)
        try:
            live = store.live(raw)
            return instance_of(self.model, live), live
        except NotFound:
            return None, {}
        except Exception as error:  # noqa: BLE001 - whatever an attribute raises for a value that it cannot read
            report_unreadable(self.model, raw or {}, "was not embedded", error)
            return None, {}

    def _allows(self, instance: Model, raw: RawItem) -> bool:
        params = {name: getattr(instance, name) for name in self.embed.route.params} if self.asks_path else {}
        return Guard(self.verdict_at(params), model=self.model).allows(instance, raw)


class _Many(_Embedded):
    """The first items of a partition for each instance, those that the user may have."""

    def __init__(self, embed: Embed, request: Request) -> None:
        super().__init__(embed, request)
        # By its id: the instance, which so keeps it, and its items.
        self._known: dict[int, tuple[Model, list[Any]]] = {}

    def load(self, instances: Sequence[Model]) -> None:
        """Query the partition of each instance."""
        for one in instances:
            if id(one) not in self._known:
                self._known[id(one)] = (one, self._items(one))

    def shown(self, instance: Model) -> Any:
        """The items."""
        return self._known[id(instance)][1]

    def _items(self, instance: Model) -> list[Any]:
        values = {name: getattr(instance, source) for name, source in self.embed.key.items()}
        parts = {name: self.key_part(name, value) for name, value in values.items()}
        verdict, attributes = self.verdict_at(values), self.model.get_attributes()
        if None in parts.values() or verdict is False or self.embed.limit is None:
            return []
        within = [ConditionCheck(Path([attributes[n].attr_name]) == Value(one)) for n, one in parts.items()]
        resource, limit = self.embed.route.resource, self.embed.limit
        with guarded(Guard(join_verdicts([verdict, *within], every=True), model=self.model)):
            rows = rows_of(self.model, resource.planner.plan({}, None), pagination_key=None, limit=limit)
            items = rows.page(limit, resource.read_budget).items
        self.dumper.prepare(items)
        return [self.dumper.dumped(one) for one in items]
