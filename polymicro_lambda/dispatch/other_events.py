"""Events that are no HTTP requests: warm-ups, schedules, tests by hand, batches of a queue or a stream."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import MAPPINGS, Event

OnEvent: TypeAlias = Callable[[Any, Any], Any]
BATCH_MEMBERS = ("Records", "records", "eventSource")
"""Members of events that carry somebody's data: to answer them without a look would lose it."""
LONGEST_NAME = 40
"""Characters of a service's name; whatever else stands there is not repeated in a log."""
DONE: Mapping[str, Any] = {"statusCode": 200, "headers": {}, "body": "", "isBase64Encoded": False}
"""The answer to an event that needs none."""


def answer_event(event: Event, context: object, on_event: OnEvent | None) -> Any:
    """The result of the app's ``on_event``; without one, an empty answer.

    Raises what that function raises, so that Lambda tries again, and ``ConfigurationError`` where nobody takes a batch.
    """
    if on_event is not None:
        return on_event(event, context)
    if isinstance(event, MAPPINGS) and any(event.get(name) for name in BATCH_MEMBERS):
        raise ConfigurationError(
            f"The function got a batch of {_origin(event)}, and nothing takes it: say PolyMicro(on_event=…)"
        )
    return dict(DONE)


def _origin(event: Event) -> str:
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else event
    names = (
        (first.get(name) for name in ("eventSource", "EventSource")) if isinstance(first, MAPPINGS) else ()
    )
    known = (
        name
        for name in names
        if isinstance(name, str) and name.startswith("aws:") and len(name) < LONGEST_NAME
    )
    return next(known, "another service")


def checked_on_event(on_event: Any) -> OnEvent | None:
    """What ``PolyMicro(on_event=…)`` says. Raises ``ConfigurationError``."""
    if on_event is not None and not callable(on_event):
        raise ConfigurationError(f"PolyMicro.on_event must be a function (event, context), not {on_event!r}")
    said: OnEvent | None = on_event
    return said
