"""Exceptions for the log: their classes and tracebacks, without their texts, which may hold anybody's data."""

from types import TracebackType
from typing import TypeAlias

from botocore.exceptions import ClientError

from polymicro_lambda.exceptions import ConfigurationError

MAX_EXCEPTIONS = 50
"""The most exceptions of one chain that are logged, the last raised first: a recursion can leave hundreds."""

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]


def redacted_exc_info(error: BaseException, *, text: bool = False) -> ExcInfo:
    """An exception as ``exc_info`` for a logger: classes and lines of code, of its causes too.

    The only texts are those that cannot hold data: our own on a wrong declaration, and DynamoDB's error codes.
    With ``text`` the exception stays as it is.
    """
    return type(error), error if text else redacted(error), error.__traceback__


def redacted(error: BaseException) -> Exception:
    """An exception of a class of the same name, with the same traceback and causes, and no text."""
    return _copy(error, {})


def _cause_copy(error: BaseException | None, copies: dict[int, Exception]) -> Exception | None:
    if error is None or (id(error) not in copies and len(copies) >= MAX_EXCEPTIONS):
        return None
    return copies.get(id(error)) or _copy(error, copies)


def _copy(error: BaseException, copies: dict[int, Exception]) -> Exception:
    kind, text = type(error), _safe_text(error)
    members = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__str__": lambda _: text,
        "__repr__": lambda _: f"{kind.__name__}({text})",
    }
    copy: Exception = type(kind.__name__, (Exception,), members)()
    copies[id(error)] = copy
    copy.__traceback__ = error.__traceback__
    copy.__cause__ = _cause_copy(error.__cause__, copies)
    copy.__context__ = _cause_copy(error.__context__, copies)
    copy.__suppress_context__ = error.__suppress_context__
    return copy


def _safe_text(error: BaseException) -> str:
    """The text of an exception that cannot hold anybody's data, else ``""``."""
    if isinstance(error, ConfigurationError):
        return str(error)
    if isinstance(error, ClientError):
        return f"{error.response.get('Error', {}).get('Code', 'no code')} in {error.operation_name}"
    return ""
