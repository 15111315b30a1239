"""What a request asks of a verb: its path, query and body, checked and typed, as the verb's arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import BadRequest, Forbidden, NotFound
from polymicro_lambda.http import read_truth
from polymicro_lambda.items import serialized
from polymicro_lambda.lazy import lazy
from polymicro_lambda.routing import DELETED
from polymicro_lambda.rules import ConditionCheck, Requirement, Verdict, is_written, join_verdicts
from polymicro_lambda.schemas import Merge, key_rules, load_body

from .fields_request import RETRIEVE
from .own_queries import read_own_query
from .query_errors import with_all_errors
from .query_request import QueryRequest


@dataclass
class VerbRequest(QueryRequest):
    """A request for the verb of a route."""

    written: Mapping[str, Verdict] = field(default_factory=dict)
    """What must hold on an item for fields that the body holds."""

    @lazy
    def bound(self) -> dict[str, Any]:
        """The attributes that the path and the rule say. Raises ``NotFound`` for what can be none, or not both."""
        route, bound = self.route, {}
        try:
            for name, text in route.path_texts(self.request.segments).items():
                bound[name] = route.schema.parse_key(name, text)
        except ValueError as error:
            raise NotFound() from error
        for name, owner in route.bound.items():
            value = owner.value(self.request.user, route.model)
            if bound.setdefault(name, value) != value or (route.about.detail and not self._fits(name, value)):
                raise NotFound()
        about = model_info(route.model)
        if about.has_composed_key and route.about.detail and route.lookup is None:
            parts = {a.attr_name: serialized(a, bound[n]) or {} for n, a in about.address.items()}
            if about.key_or_none(parts) is None:
                raise NotFound()
        return bound

    @lazy
    def key(self) -> Mapping[str, Any] | None:
        """The key of the item that the path names, by its attributes' names; None on a collection.

        An item that is looked up is found by one read; None where there is none at its address.
        """
        route, about = self.route, model_info(self.route.model)
        if not route.about.detail:
            return None
        if route.lookup is None:
            return {name: self.bound[name] for name in about.address}
        raw = route.lookup.key(self.bound)
        raw = raw and about.known_of(raw)
        address = about.address.items()
        return raw and {n: one.deserialize(one.get_value(raw[one.attr_name])) for n, one in address}

    @property
    def address(self) -> Requirement | None:
        """What an item that is looked up must have still, None where it is named by its key."""
        lookup = self.route.lookup
        return None if lookup is None else lookup.requirement(self.bound[lookup.name])

    @property
    def fixed(self) -> Mapping[str, Any]:
        """What path and rule bind of all items that the verb meets: not the address of one."""
        lookup = self.route.lookup
        return self.bound if lookup is None else {n: v for n, v in self.bound.items() if n != lookup.name}

    def _fits(self, name: str, value: Any) -> bool:
        """Whether what a user owns can be an attribute's value, where that is a key of the table or of an index."""
        rule = key_rules(self.route.model).get(name)
        return rule is None or rule.fits(value)

    # --- the rule --------------------------------------------------------------------------------------------

    def under_path(self, verdict: Verdict) -> Verdict:
        """The verdict, and what the path says of an item beyond its key: ``/projects/1/tasks/2`` is of project 1.

        Deleted items are left out, or with ``?deleted=true`` all others; a restore may be about both.
        """
        deletion = self.route.deletion
        if deletion is not None and not self.route.is_restore:
            verdict = (deletion.of_deleted_items if self.asks_for_deleted else deletion.of_live_items)(
                verdict
            )
        if not self.route.beyond:
            return verdict
        attributes, bound = self.route.model.get_attributes(), self.bound
        said = [ConditionCheck(_equals(attributes[name], bound[name])) for name in self.route.beyond]
        return join_verdicts([verdict, *said], every=True)

    @lazy
    def retrieval(self) -> Verdict:
        """What the rule says of ``retrieve`` before the item is known, also where the resource has no such verb.

        Of a restore: the deleted item is there for those who might ask for it.
        """
        context, deletion = self.context(RETRIEVE), self.route.deletion
        verdict = self.route.rules["retrieve"].decide(context)
        if deletion is not None and self.route.is_restore and not deletion.is_seen_by(context):
            verdict = deletion.of_live_items(verdict)
        return self.under_path(verdict)

    @lazy
    def asks_for_deleted(self) -> bool:
        """Whether the request is for deleted items, which its user may see. Raises ``BadRequest``."""
        if not self.request.query or self.route.shows_deleted is None:
            return False
        return read_truth(DELETED, self.query.get(DELETED, ("false",))[0])

    # --- the arguments ---------------------------------------------------------------------------------------

    def arguments(self, body: Any) -> dict[str, Any]:
        """All that the verb may ask for, but the instance. Raises where body or query are refused."""
        arguments = {"request": self.request, "user": self.request.user, "req": {}}
        if self.route.about.body:
            arguments["req"] = self._action_body(body) if self.route.is_action else self._item_body(body)
        if self.route.verb == "create":
            arguments["req"] |= self._owned()
        if self.route.verb == "list" or self.request.query or self.route.form.query is not None:
            try:
                arguments |= self._queried()
            except BadRequest as error:
                raise with_all_errors(error, self.request.query, self._check_query) from error
        return arguments

    def _queried(self) -> dict[str, Any]:
        """What the verb is given of the query. Raises ``BadRequest``."""
        own, paging = self.route.form.query, self.paging()
        return paging if own is None else {**paging, "query": read_own_query(own, self.query)}

    def _check_query(self, query: Mapping[str, Any]) -> None:
        """Raise ``BadRequest`` for what is wrong in another query for the same verb."""
        other = replace(self, request=replace(self.request, query=query))
        other._queried()
        if self.is_list:
            _ = other.shown, other.embeds

    def _action_body(self, body: Any) -> Any:
        schema = self.route.form.body
        return body if schema is None else load_body(schema, body)

    def _item_body(self, body: Any) -> dict[str, Any]:
        route, schema, closed = self.route, self.route.schema, self._closed(body)
        if route.merges:
            return schema.load_merge(body)
        if route.http == "PUT":
            kept = closed | self._unread()
            return schema.load_replace(body, {n for n in kept if "." not in n or not is_written(body, n)})
        offered = self._offered() if route.offered and self.request.user is not None else {}
        return offered | schema.load_create(body, {*route.bound, *offered, *closed})

    def new_values(self, values: Mapping[str, Any], body: Any, bound: Mapping[str, Any]) -> dict[str, Any]:
        """The new item of a PUT, out of what is loaded of its body for an update and what its path says (``bound``).

        Raises ``Unprocessable`` for fields that the user may not write to a new item, ``Forbidden`` as for a create.
        """
        self._closed(body)
        schema = self.route.schema
        offered = self._offered() if self.route.offered and self.request.user is not None else {}
        given = {
            name: one
            for name, one in values.items()
            if (one is not None or schema.keeps_null(name)) and not (isinstance(one, Merge) and one.clears)
        }
        return {**offered, **given, **self._owned(), **bound}

    def _owned(self) -> dict[str, Any]:
        """What path and rule say of a new item. Raises ``Forbidden`` where that can be no key."""
        bound = self.bound
        for name in self.route.bound:
            if not self._fits(name, bound[name]):
                what = "what says who you are is too long for a key, or empty"
                raise Forbidden(f"You can own nothing here: {what}.")
        return bound

    def _offered(self) -> dict[str, Any]:
        """What the user owns: an owner under | or ~ is the user where the body does not say."""
        user, model = self.request.user, self.route.model
        said = {name: owner.value(user, model) for name, owner in self.route.offered.items()}
        return {name: value for name, value in said.items() if value is not None and self._fits(name, value)}

    def _closed(self, body: Any) -> frozenset[str]:
        """The fields that the user may not write. Raises ``Unprocessable`` where the body holds one."""
        rules = self.route.field_rules
        if rules.free:
            return frozenset()
        # What is not sent is not asked of: but a PUT would clear it, and a create might miss it.
        also = frozenset[str]() if self.route.merges else rules.names
        access = rules.writing(self.context(self.route.method), body, also, self.related)
        merges, by_item = self.route.merges, access.by_item.items()
        named = {name: one for name, one in by_item if is_written(body, name, merges=merges)}
        self.written = {**self.written, **named}
        # Whether an item has room for the others is not known before it is read: they stay as they are.
        return rules.names - access.fields | access.by_item.keys() - named.keys()

    def _unread(self) -> frozenset[str]:
        """The fields that the user may not see, and so cannot send back as they are."""
        rules = self.route.field_rules
        return rules.never_read if rules.free else rules.names - self.readable | self.read_by_item.keys()


def _equals(attribute: Any, value: Any) -> Condition:
    equals: Condition = Path([attribute.attr_name]) == Value(serialized(attribute, value))
    return equals
