"""The rules of a resource's verbs: one for all, or a dict of them, and those of single actions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lazy import lazy
from polymicro_lambda.permissions import AllowAny, IsAuthenticated, OwnedBy, Permission
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.routing.checks.permission_checks import read_rule
from polymicro_lambda.routing.verbs import ACTION, Action, Verb
from polymicro_lambda.rules import EVERY, AllOf, AnyOf, Owner, Rule
from polymicro_lambda.spelling import did_you_mean

NOBODY = ~AllowAny()
"""The rule of a verb that a resource has not, and says nothing of."""

ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "delete": ("delete",),
    "destroy": ("delete",),
    "get": ("retrieve", "list"),
    "partial_update": ("update",),
    "patch": ("update",),
    "post": ("create",),
    "put": ("update",),
}
"""Methods of HTTP, and verbs of Django REST Framework's, in small letters -> verbs."""


class VerbRules:
    """The rule of each verb by its name; of one that the resource does not have, that for all others."""

    def __init__(self, rules: Mapping[str, Rule], on_items: Iterable[str]) -> None:
        self._rules = rules
        self._on_items = tuple(on_items)

    @classmethod
    def of(cls, resource: ModelResource, default: Any, verbs: Sequence[Verb]) -> "VerbRules":
        """Those that a resource declares, all permissions checked; ``default`` is for one that declares none.

        Raises ``ConfigurationError``.
        """
        return cls(_read(resource, default, verbs), [verb.name for verb in verbs if verb.detail])

    def __getitem__(self, verb: str) -> Rule:
        return self._rules.get(verb, self._rules[EVERY])

    @lazy
    def permissions(self) -> tuple[Permission, ...]:
        """Those that the rules are made of, each once."""
        distinct = {id(rule): rule for rule in self._rules.values()}.values()
        return tuple({id(leaf): leaf for rule in distinct for leaf in rule.leaves()}.values())

    @lazy
    def bound_in_items(self) -> Mapping[str, Owner]:
        """The attributes that every caller of every verb on an item must own: they need not stand in its path."""
        bindings = [self[verb].binding() for verb in self._on_items] or [*self._bindings()]
        first, *others = bindings or [{}]
        return {
            name: owner
            for name, owner in first.items()
            if all(name in other and owner.is_same(other[name]) for other in others)
        }

    def bound(self, verb: str | None) -> Mapping[str, Owner]:
        """The attributes that every caller of a verb must own, as far as its path does not name them."""
        return self.bound_in_items if verb is None or verb in self._on_items else self[verb].binding()

    @lazy
    def owners(self) -> frozenset[str]:
        """The attributes that name an owner: no update changes them."""
        return frozenset(one.attribute for one in self.permissions if isinstance(one, OwnedBy))

    def owned(self, verb: str) -> Mapping[str, Owner]:
        """The attributes that a new item takes from the user where the body does not say."""
        return {one.attribute: one for one in self[verb].leaves() if isinstance(one, OwnedBy)}

    def bindable(self, others: Iterable[str]) -> frozenset[str] | None:
        """The attributes that a list may bind to one value, besides ``others``; None where only the request can tell.

        What a rule's own ``where`` binds is not known without a user.
        """
        rule = self["list"]
        if any(type(one).where not in (Permission.where, OwnedBy.where) for one in rule.leaves()):
            return None
        return frozenset({*rule.binding(), *others, *_bound_sometimes(rule)})

    def _bindings(self) -> Iterable[Mapping[str, Owner]]:
        return (rule.binding() for rule in self._rules.values())


def _read(resource: ModelResource, default: Any, verbs: Sequence[Verb]) -> Mapping[str, Rule]:
    declared = default if resource.permissions is None else resource.permissions
    by_verb, name = isinstance(declared, Mapping), type(resource).__name__
    said: Mapping[str, Any] = declared if by_verb else {EVERY: declared}
    own = {verb.name: one for verb in verbs if (one := _own_permissions(resource, verb.name)) is not None}
    known = [*dict.fromkeys(["retrieve", *(verb.name for verb in verbs)])]
    if by_verb and declared is not default:
        _check_verbs_said(name, said, known, own)
    rules = {verb: read_rule(f"{name}.permissions", one) for verb, one in said.items()}
    rules |= {verb: read_rule(f"{name}.{verb}: permissions", one) for verb, one in own.items()}
    rest = rules.get(EVERY)
    uncovered = [verb.name for verb in verbs if verb.name not in rules]
    if rest is None and uncovered:
        raise ConfigurationError(
            f"{name}.permissions says nothing of {' and '.join(uncovered)}: name them, or say {EVERY!r} for all others"
        )
    return {EVERY: NOBODY, **rules}


def _own_permissions(resource: ModelResource, verb: str) -> Any:
    said: Action | None = getattr(getattr(resource, verb), ACTION, None)
    return None if said is None else said.permissions


def _check_verbs_said(
    name: str, said: Mapping[str, Any], known: Sequence[str], own: Mapping[str, Any]
) -> None:
    for verb in said:
        if verb != EVERY and verb not in known:
            near = _meant(verb, known)
            raise ConfigurationError(f"{name}.permissions names {verb!r}, which is no verb of it{near}")
        if verb in own:
            raise ConfigurationError(
                f"{name}.permissions names {verb!r}, whose @action has permissions too: say it once"
            )


def _meant(verb: Any, known: Sequence[str]) -> str:
    said = [one for one in ELSEWHERE.get(str(verb).lower(), ()) if one in known]
    return f": is {' or '.join(map(repr, said))} meant?" if said else did_you_mean(str(verb), known)


def _bound_sometimes(rule: Rule) -> set[str]:
    """The attributes that the rule binds for every user, or under ``|`` for those to whom the rest says no."""
    if not isinstance(rule, AllOf | AnyOf):
        return set(rule.binding())
    if isinstance(rule, AnyOf) and any(isinstance(part, (AllowAny, IsAuthenticated)) for part in rule.parts):
        return set()
    return {name for part in rule.parts for name in _bound_sometimes(part)}
