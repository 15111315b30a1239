"""Whether an instance that a verb returns may go out: judged by the rule and by expiry, once in a request.

What has been judged when it was read, or written, bears the mark of its request.
"""

from typing import TypeVar

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.items import is_live, record_reads

from .guards import as_stored, current_guard

JUDGED, TRUSTED = "_polymicro_judged", "_polymicro_trusted"
M = TypeVar("M", bound=Model)


def mark_judged(instance: M) -> M:
    """The instance, which the running request need not judge again.

    Where a developer's verb is running, the instance notes what that reads of it.
    """
    guard = current_guard()
    vars(instance)[JUDGED] = guard.mark
    if guard.records:
        record_reads(instance)
    return instance


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
    if guard.verdict is True and model_info(model).lasting:
        return True
    raw = as_stored(instance)
    return is_live(model, raw) and guard.allows(instance, raw)
