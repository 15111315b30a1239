"""Whether an instance that a verb returns may go out: whole, judged by the rule and by expiry, once in a request.

What has been judged when it was read, or written, bears the mark of its request.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from pynamodb.models import Model

from polymicro_lambda.dynamodb import MOST_KEYS, model_info, partial_read_of
from polymicro_lambda.items import is_live, record_reads, whole_instances

from .guard_context import current_guard
from .guards import Guard
from .related import prefetch_related
from .related_pins import related_checks
from .stored_values import as_stored

JUDGED, TRUSTED = "_polymicro_judged", "_polymicro_trusted"
M = TypeVar("M", bound=Model)


def mark_judged(instance: M, guard: Guard | None = None) -> M:
    """The instance, which the running request need not judge again; ``guard`` is the request's, if that is at hand.

    Where a developer's verb is running, the instance notes what that reads of it.
    """
    guard = guard or current_guard()
    vars(instance)[JUDGED] = guard.mark
    if guard.records:
        record_reads(instance)
    return instance


def forget_judgement(instance: Model) -> None:
    """Let an instance be judged again: its item is another one by now."""
    vars(instance).pop(JUDGED, None)


def trusted(instance: M) -> M:
    """The instance, which the running request shows to its user whatever the rule says of it.

    Expired items are shown too. Fields that the user may not read stay hidden.
    """
    vars(instance)[TRUSTED] = current_guard().mark
    return instance


def is_trusted(instance: Model) -> bool:
    """Whether the running request has called it ``trusted``."""
    return vars(instance).get(TRUSTED) is current_guard().mark


def is_cleared(instance: Model) -> bool:
    """Whether the running request has judged the instance already, or trusts it."""
    return vars(instance).get(JUDGED) is current_guard().mark or is_trusted(instance)


def may_go_out(instance: Model) -> bool:
    """Whether the running request may show an instance: of another model than the route's it may show all."""
    guard = current_guard()
    model = guard.model or type(instance)
    if not isinstance(instance, model) or is_cleared(instance):
        return True
    if guard.verdict is True and not guard.related and model_info(model).lasting:
        return True
    raw = as_stored(instance)
    return is_live(model, raw) and guard.allows(instance, raw)


def concerns_route(model: type[Model]) -> bool:
    """Whether instances of a model may be items of the route's: other models are the verb's own affair."""
    own = current_guard().model
    return own is None or issubclass(model, own) or issubclass(own, model)


def is_to_be_completed(value: Any) -> bool:
    """Whether a value is an instance that lacks attributes, which is neither judged nor shown as it is."""
    return partial_read_of(value) is not None and concerns_route(type(value))


def whole_rows(rows: Iterable[Any]) -> Iterator[Any]:
    """The values of a collection; instances that lack attributes are read again, up to 100 by one call.

    So are the related items that decide about instances. Those that are gone are left out. Raises as
    ``items.whole_instances``.
    """
    source = iter(rows)
    while chunk := list(islice(source, MOST_KEYS)):
        whole = [*_completed(chunk)]
        read_related_of(whole)
        yield from whole


def read_related_of(values: Iterable[Any]) -> None:
    """Read the related items that decide whether instances may go out, for up to 100 by one call."""
    guard = current_guard()
    checks = related_checks(guard.verdict)
    if not checks and not guard.related:
        return
    own = guard.model or Model
    judged = [as_stored(one) for one in values if isinstance(one, own) and not is_cleared(one)]
    prefetch_related(checks, judged)
    # The related items that the path names have been read. Other items than the path's name related items of their own.
    elsewhere = [raw for raw in judged if any(one.is_elsewhere(raw) for one in guard.related)]
    prefetch_related(guard.related, elsewhere)


def _completed(chunk: Sequence[Any]) -> Iterator[Any]:
    partial = [value for value in chunk if is_to_be_completed(value)]
    if not partial:
        yield from chunk
        return
    whole = whole_instances(partial)
    for value in chunk:
        if not is_to_be_completed(value):
            yield value
        elif (found := next(whole)) is not None:
            yield found
