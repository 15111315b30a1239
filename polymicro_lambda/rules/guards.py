"""The guard of one request: the rule's verdict, carried to every call of the store while the verb runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.exceptions import Forbidden, NotFound, PreconditionFailed
from polymicro_lambda.items import UNKEYED_TAGGER, EntityTagger, EntityTags, observed, same_item
from polymicro_lambda.types import RawItem

from .conditions.requirements import Requirement
from .conditions.rewriting import sendable
from .create_interceptor import CreateInterceptor
from .field_rules import refuse_written
from .own_writes import RequestMark
from .related import RelatedCheck, check_related, read_related
from .related_pins import split_related
from .sides import State, attributes_judged_after, holds_after, holds_before
from .soft_deletion import SoftDeletion
from .stored_values import as_stored
from .verdicts import Verdict, attributes_of_verdict, certainly_allows, condition_of, is_opaque, join_verdicts


def _visible_to_all(_: Model, __: RawItem) -> bool:
    return True


def _as_text(instance: Model) -> tuple[Any, str]:
    return str(instance), ""


WEAK_TAGS = (
    "If-Match holds weak tags alone, and no weak tag ever matches (RFC 9110, 13.1.1): a server between you and this API"
    " has put W/ before the ETag, as many do that compress. Send the tag without W/."
)


@dataclass(slots=True)
class Guard:
    """One request's rule, its preconditions, and who may know of an item."""

    verdict: Verdict = True
    visible: Callable[[Model, RawItem], bool] = _visible_to_all
    """Whether the user may retrieve an item: only then does a denial differ from a missing item."""
    bound: Mapping[str, Any] = field(default_factory=dict)
    """Attribute -> value, where the route or the rule fixes it, e.g. the owner."""
    fields: frozenset[str] | None = None
    """The attributes that the answer shows, None for all."""
    if_match: EntityTags | None = None
    """The entity tags of ``If-Match``: a write needs one of them to be the item's."""
    tagger: EntityTagger = UNKEYED_TAGGER
    """Makes the entity tags."""
    show: Callable[[Model], tuple[Any, str]] = _as_text
    """An item as this user may see it, and the entity tag of that."""
    interceptor: CreateInterceptor | None = None
    """The interceptor of a request with an ``Idempotency-Key``, or with many items."""
    model: type[Model] | None = None
    """The route's model: the rule is asked of its items alone. None stands for any model."""
    path_key: RawItem | None = None
    """The key of the item in the path: ``If-Match`` and ``requires`` are asked of it alone. None is any item."""
    mark: RequestMark = field(default_factory=RequestMark)
    """The request itself, as instances bear it that it has judged."""
    requirement: Requirement | None = None
    """The condition that the verb ``requires`` of the item in the path."""
    address: Requirement | None = None
    """The condition that the item in the path has its address still, where that is no key: else there is none."""
    related: tuple[RelatedCheck, ...] = ()
    """The checks by related items of which path and claims name the keys; they must hold besides the verdict."""
    read_back: tuple[RelatedCheck, ...] = ()
    """The checks that decide whether a written item is shown: their related items are read with it."""
    records: bool = False
    """Whether instances note which of their attributes are read: the verb is the developer's own."""
    user: Any = None
    """Who asks, None for nobody."""
    written: Mapping[str, Verdict] = field(default_factory=dict)
    """What must hold on an item for fields that the body holds: where the item of the path is written, or a new one."""
    rule: "Verdict | None" = None
    """The verdict without that of written fields, where it contains it; else None."""
    deletion: SoftDeletion | None = None
    """The soft deletion of which the verdict says already what it means here."""

    def of_model(self, model: type[Model]) -> "Guard":
        """The guard of a model's items: another model than the route's has neither rule nor precondition."""
        if self.model is model or self.model is None or issubclass(model, self.model):
            return self
        return Guard(
            tagger=self.tagger,
            show=self.show,
            interceptor=self.interceptor,
            model=model,
            mark=self.mark,
            records=self.records,
            user=self.user,
        )

    def check_related(self, *, unpinned: bool = False) -> None:
        """Raise ``Forbidden`` where a related item does not let the user in; they are read by one call.

        ``unpinned`` asks those alone on which no write is conditional.
        """
        checks = [one for one in self.related if not (unpinned and one.pinned)]
        if checks:
            read_related(checks)
            check_related(checks)

    def covers(self, model: type[Model]) -> bool:
        """Whether a request's rule is asked of the items of a model."""
        return self.model is not None and issubclass(model, self.model)

    def of_item(self, model: type[Model], key: RawItem) -> "Guard":
        """The guard of one item: another one than the path's, or one written by this request, has no precondition."""
        guard = self.of_model(model)._about(key)
        if guard.if_match is None and not guard.stated and not guard.written:
            return guard
        is_meant = guard.path_key is None or same_item(guard.path_key, key)
        if guard.written and is_meant:
            guard = guard._of_written()
        if is_meant and guard.mark.own_write(model, key) is None:
            resumes = guard.interceptor is not None and guard.interceptor.resumes
            return replace(guard, requirement=None) if resumes and guard.requirement is not None else guard
        return replace(guard, if_match=None, requirement=None, address=None)

    @property
    def stated(self) -> tuple[Requirement, ...]:
        """The conditions that path and verb require of an item."""
        return tuple(filter(None, (self.address, self.requirement)))

    def check_address(self, raw: RawItem) -> None:
        """Raise ``NotFound`` for an item that has another address by now."""
        if self.address is not None:
            self.address.check(raw)

    def of_new(self, model: type[Model], raw: RawItem | None = None) -> "Guard":
        """The guard of a new item of a model."""
        guard = self.of_model(model)._about(raw or {})
        return guard._of_written() if guard.written and guard.path_key is None else guard

    def _about(self, raw: RawItem) -> "Guard":
        """The guard of an item of which this much is known."""
        verdict = self._verdict_of(raw)
        return self if verdict is self.verdict else replace(self, verdict=verdict)

    def _verdict_of(self, raw: RawItem) -> Verdict:
        """What must hold on an item. Where it names another related item than the path does, that one decides, too."""
        others = [one for one in self.related if one.is_elsewhere(raw)] if self.related else None
        return join_verdicts([self.verdict, *others], every=True) if others else self.verdict

    def _of_written(self) -> "Guard":
        """The guard of an item of which the body's fields are written."""
        related, rest = split_related(join_verdicts((self.verdict, *self.written.values()), every=True))
        return replace(self, verdict=rest, rule=self.verdict, related=(*self.related, *related))

    @property
    def condition(self) -> Condition | None:
        """The rule as far as DynamoDB can check it inside a write."""
        return condition_of(self.verdict)

    @property
    def sendable(self) -> Condition | bool:
        """The same as DynamoDB takes it: False where it holds for nothing, True where there is nothing to check."""
        condition = condition_of(self.verdict)
        return True if condition is None else sendable(condition)

    @property
    def is_opaque(self) -> bool:
        """Whether the rule asks Python about the instance."""
        return is_opaque(self.verdict)

    def needs_instance(self, changed: frozenset[str] = frozenset()) -> bool:
        """Whether a write that changes these attributes of the item needs the item in Python first.

        It does where the rule is opaque, and where the rule reads a changed attribute of the item as it would be.
        """
        return is_opaque(self.verdict) or (
            bool(changed) and bool(attributes_judged_after(self.verdict) & changed)
        )

    def allows(self, instance: Model, raw: RawItem | None = None) -> bool:
        """Whether the rule holds on an item; ``raw`` is how DynamoDB stores it, if that is known."""
        if not self.related and isinstance(self.verdict, bool):
            return self.verdict
        raw = raw or as_stored(instance)
        verdict = self._verdict_of(raw)
        return verdict if isinstance(verdict, bool) else verdict.allows(instance, raw)

    def holds(self, raw: RawItem) -> bool:
        """Whether it is certain from the stored item alone that the rule lets it pass."""
        return certainly_allows(self._verdict_of(raw), raw)

    def judge(self, instance: Model, raw: RawItem, new: State | None = None) -> frozenset[str]:
        """The names in DynamoDB of the attributes that opaque checks read of the item.

        ``new`` is the item as a write would leave it, if there is one. Raises ``NotFound`` where the rule does not
        hold, or ``Forbidden`` if the user may know of the item.
        """
        if self.holds(raw):
            return frozenset()
        old, verdict = State(instance, raw), self._verdict_of(raw)
        allowed, relied = self._observed(old, partial(holds_before, verdict, old, new))
        if allowed:
            return relied
        if self.rule is not None:
            refuse_written(self.written, self.rule, partial(holds_before, old=old, new=new))
        if self.visible(instance, raw):
            raise Forbidden("You may see this item, but not do this to it.")
        raise NotFound()

    def judge_new(self, instance: Model, raw: RawItem, old: State | None = None) -> frozenset[str]:
        """As ``judge``, for an item about to be written; ``old`` is the item as it is, None for none.

        Raises ``Forbidden``: that gives no other item away.
        """
        new, verdict = State(instance, raw), self._verdict_of(raw)
        allowed, relied = self._observed(new, partial(holds_after, verdict, old, new))
        if allowed:
            return relied
        if self.rule is not None:
            refuse_written(self.written, self.rule, partial(holds_after, old=old, new=new))
        raise Forbidden("The item as it would be written is not one that you may have.")

    def check_match(self, instance: Model, raw: RawItem) -> None:
        """Raise ``PreconditionFailed``, with the item as it is now where the user may see it, if no tag fits."""
        if self.if_match is None or self.if_match.any:
            return
        if self.if_match.match(self.tagger.strong(type(instance), raw)):
            return
        members, headers = {}, {}
        if self.visible(instance, raw):
            members["current"], headers["etag"] = self.show(instance)
        detail = WEAK_TAGS if self.if_match.are_weak else "The item has changed meanwhile."
        raise PreconditionFailed(detail, headers=headers, members=members)

    def _observed(self, state: State, question: Callable[[], bool]) -> tuple[bool, frozenset[str]]:
        """Whether the rule holds, and the attributes that its opaque checks read."""
        if not is_opaque(self.verdict):
            return question(), frozenset()
        return observed(state.instance, question)

    @property
    def condition_attributes(self) -> frozenset[str]:
        """The names in DynamoDB of the attributes that the rule's conditions read."""
        return attributes_of_verdict(self.verdict)
