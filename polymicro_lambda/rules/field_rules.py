"""Which fields a user may read and write: the hook ``fields_for`` and the table ``field_permissions`` of a resource."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError, Unprocessable
from polymicro_lambda.lazy import lazy
from polymicro_lambda.schemas import ItemSchema

from .algebra import Rule, rule_from
from .context import Method, RuleContext
from .map_members import check_member, is_written
from .permission import Permission
from .related import RelatedCheck, read_related
from .related_pins import split_related
from .through import Through
from .verdicts import Verdict

FieldsFor: TypeAlias = Callable[[Any, Method], Any]
"""``ModelResource.fields_for``: user and method -> the fields that the user may use."""
Related: TypeAlias = Iterable[RelatedCheck]
READ, WRITE = 0, 1
"""The places of a pair that ``fields_for`` returns."""


@dataclass(frozen=True)
class FieldRules:
    """The field rules of one resource, compiled."""

    schema: ItemSchema
    read: Mapping[str, Rule]
    write: Mapping[str, Rule]
    fields_for: FieldsFor | None
    """The resource's hook, None where it has none of its own."""
    free: bool
    """No field has a rule: everybody may use all."""

    @classmethod
    def of(
        cls, resource: str, table: Mapping[str, Any], schema: ItemSchema, fields_for: FieldsFor | None
    ) -> "FieldRules":
        """Read the table. Raises ``ConfigurationError`` for unknown fields, and for what is no rule."""
        read: dict[str, Rule] = {}
        write: dict[str, Rule] = {}
        for name, declared in table.items():
            where = f"{resource}.field_permissions[{name!r}]"
            if "." in name:
                check_member(where, schema, name)
            elif name not in schema.members:
                raise ConfigurationError(f"{where}: there is no such field")
            pair = declared if isinstance(declared, Mapping) else {"read": declared, "write": declared}
            if not pair or not set(pair) <= {"read", "write"}:
                raise ConfigurationError(f'{where}: say a permission, or {{"read": …, "write": …}}')
            for rules, key in ((read, "read"), (write, "write")):
                rules |= {name: _rule(where, pair[key])} if key in pair else {}
        return cls(schema, read, write, fields_for, free=not (fields_for or read or write))

    @property
    def names(self) -> frozenset[str]:
        """All fields."""
        return self.schema.members

    @lazy
    def shown(self) -> frozenset[str]:
        """The fields that answers show."""
        return frozenset(self.schema.names)

    @lazy
    def never_read(self) -> frozenset[str]:
        """The fields that no answer shows."""
        return self.names - self.shown

    def leaves(self) -> Iterator[Permission]:
        """The permissions in the table."""
        return (
            leaf for table in (self.read, self.write) for rule in table.values() for leaf in rule.leaves()
        )

    def reading(self, context: RuleContext, beside: Related | None = ()) -> "FieldAccess":
        """The fields that an answer shows to this user.

        Related items that path and claims name are read, by one call with those ``beside``; None leaves them to each
        item.
        """
        if self.free:
            return FieldAccess(self.shown, {})
        access = self._allowed(context, self.read, READ, frozenset(self.read), beside)
        early = {name: one for name, one in access.by_item.items() if name.partition(".")[0] in self.shown}
        if beside is None:
            return FieldAccess(self.shown & access.fields, early)
        left = {name: split_related(one)[1] for name, one in early.items()}
        by_item = {name: one for name, one in left.items() if one is not True}
        return FieldAccess(self.shown & access.fields, by_item, early)

    def reading_elsewhere(self, context: RuleContext) -> "FieldAccess":
        """The fields that an answer of another resource shows to this user of an item.

        Its request has not this resource's path: a rule that looks at it, or takes from it what no item says, hides.
        """
        if self.free:
            return FieldAccess(self.shown, {})
        decided = {name: rule for name, rule in self.read.items() if _is_of_item(rule, context.model)}
        access = self._allowed(context, decided, READ, frozenset(decided), None)
        hidden = self.read.keys() - decided.keys()
        by_item = {**access.by_item, **{name: False for name in hidden if "." in name}}
        return FieldAccess((self.shown & access.fields) - hidden, by_item)

    def writing(
        self, context: RuleContext, body: Any, also: frozenset[str], beside: Related = ()
    ) -> "FieldAccess":
        """The fields that this user may write. Raises ``Unprocessable`` where the body holds another one.

        Of fields that are neither in the body nor in ``also`` the rules are not asked; without any of these the body
        merges. Related items that path and claims name have been read, by one call with those ``beside``, and hold.
        """
        if self.free:
            return FieldAccess(self.names, {})
        said = body if isinstance(body, Mapping) else {}
        members = frozenset(name for name in self.write if "." in name)
        named = frozenset(one for one in members if is_written(said, one, merges=not also))
        named |= said.keys() & self.names
        concerned = named | also | members if also else named
        access = self._allowed(context, self.write, WRITE, concerned, beside)
        _refuse(name for name in named if access.refuses(name))
        return access

    def _allowed(
        self,
        context: RuleContext,
        rules: Mapping[str, Rule],
        place: int,
        concerned: frozenset[str],
        beside: Related | None,
    ) -> "FieldAccess":
        fields: Any = None if self.fields_for is None else self.fields_for(context.user, context.method)
        if _is_pair(fields):
            fields = fields[place]
        names = self.names if fields is None else self.names & frozenset(fields)
        open_ = (name for name in rules if name.partition(".")[0] in names and name in concerned)
        verdicts = {name: rules[name].decide(context) for name in open_}
        if beside is not None:
            _read([check for verdict in verdicts.values() for check in split_related(verdict)[0]], beside)
        refused = {name for name, verdict in verdicts.items() if not _may_hold(verdict, beside is not None)}
        by_item = {n: v for n, v in verdicts.items() if n not in refused and v is not True}
        # A member of a map is hidden in the field that shows the map.
        return FieldAccess(names - refused, by_item | {name: False for name in refused if "." in name})


class FieldAccess(NamedTuple):
    """The fields that a user may read, or write."""

    fields: frozenset[str]
    """Those that they may use, on some items at least."""
    by_item: Mapping[str, Verdict]
    """What must hold on an item for some of them."""
    elsewhere: Mapping[str, Verdict] = {}
    """What must hold on an item that is not the path's, as it may name other related items."""

    def refuses(self, name: str) -> bool:
        """Whether no item lets the user use a field, or a member of a map."""
        return self.by_item.get(name) is False if "." in name else name not in self.fields


def refuse_written(verdicts: Mapping[str, Verdict], rule: Verdict, holds: Callable[[Verdict], bool]) -> None:
    """Raise ``Unprocessable`` where the rules of fields alone refuse an item; ``holds`` judges a verdict on it.

    ``verdicts`` are those of the fields that are written, ``rule`` is that of the resource.
    """
    if holds(rule):
        _refuse(name for name, verdict in verdicts.items() if not holds(verdict))


def _refuse(names: Iterable[str]) -> None:
    """Raise ``Unprocessable`` if there is one: the body holds fields that its user may not write."""
    places = (name.replace(".", "/") for name in names)
    errors = [{"pointer": f"#/{place}", "detail": "You may not write this field."} for place in places]
    if errors:
        raise Unprocessable("The body holds fields that you may not write.", errors=errors)


def _read(early: list[RelatedCheck], beside: Related) -> None:
    if early:
        read_related([*beside, *early])


def _may_hold(verdict: Verdict, are_read: bool) -> bool:
    """Whether a verdict holds on some item; early related items ``are_read``, or that is left to each item."""
    related, rest = split_related(verdict)
    return rest is not False and not (are_read and not all(check.allows(None, {}) for check in related))


def _is_of_item(rule: Rule, model: type[Model]) -> bool:
    """Whether user and item decide, whatever the path of the request is."""
    return all(
        leaf.is_of_item(model) if isinstance(leaf, Through) else not leaf.asks_request
        for leaf in rule.leaves()
    )


def _is_pair(fields: Any) -> bool:
    """Whether a hook returned (fields to read, fields to write)."""
    return (
        isinstance(fields, tuple) and len(fields) == 2 and not any(isinstance(part, str) for part in fields)
    )


def _rule(where: str, declared: Any) -> Rule:
    try:
        return rule_from(declared)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
