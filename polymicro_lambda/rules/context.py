"""The context of a decision (user, method, model, request), and calls of a permission's methods with it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.http import Request
from polymicro_lambda.observability import report_error

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""HTTP verbs that change nothing (RFC 9110, section 9.2.1)."""


class Method(str):
    """The ``method`` that a permission is asked about: equal to the verb's name, with its HTTP verb.

    ``method == "update"``, ``method.http`` is ``"PATCH"`` or ``"PUT"``, ``method.safe`` says whether it only
    reads. HEAD counts as the GET that it stands for.
    """

    __slots__ = ("http", "safe")
    http: str
    safe: bool

    def __new__(cls, name: str, http: str) -> "Method":
        """A method of this name under this HTTP verb."""
        method = super().__new__(cls, name)
        method.http = http
        method.safe = http in SAFE_METHODS
        return method


@dataclass(slots=True)
class RuleContext:
    """The context of a decision: the user or None, the method, the model, and the request if there is one."""

    user: Any
    method: Method
    model: type[Model]
    request: Request | None = None
    address: str | None = None
    """The parameter of the path that says an item's address and may change, as no key does; None for none."""


def ask_permission(question: Callable[..., Any], context: RuleContext, *about: Any) -> Any:
    """The answer of a permission's method; the method gets the request where it declares ``request``."""
    given = {"request": context.request} if takes_request(question) else {}
    return question(context.user, context.method, *about, **given)


def takes_request(question: Callable[..., Any]) -> bool:
    """Whether a permission's method asks for the request."""
    return _takes_request(getattr(question, "__func__", question))


@cache
def _takes_request(function: Callable[..., Any]) -> bool:
    return "request" in inspect.signature(function).parameters


def has_answered(answer: object, permission: object, name: str) -> bool:
    """Whether a permission answered at all; None, a forgotten return, is logged."""
    if answer is None:
        report_error(
            "%s.%s returned None, which denies: return True or False", type(permission).__name__, name
        )
    return answer is not None
