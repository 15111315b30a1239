"""An exception as the log may tell it: of what kind and where, without its text, which may hold anybody's data."""

from types import TracebackType
from typing import TypeAlias

from botocore.exceptions import ClientError

from polymicro_lambda.exceptions import ConfigurationError

CAUSES = 50
"""The most exceptions of one chain that are told of, the last raised first: a recursion can leave hundreds."""

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]


def redacted_exc_info(error: BaseException, *, text: bool = False) -> ExcInfo:
    """An exception as ``exc_info`` for a logger: kinds and lines of code, of its causes too.

    Of texts there are only those that can hold no data: our own on a wrong declaration, and DynamoDB's error
    codes. With ``text`` it is told whole.
    """
    return type(error), error if text else redacted(error), error.__traceback__


def redacted(error: BaseException) -> Exception:
    """An exception of a class of the same name, with the same traceback and causes, and no text."""
    return _made(error, {})


def _stand_in(error: BaseException | None, known: dict[int, Exception]) -> Exception | None:
    if error is None or (id(error) not in known and len(known) >= CAUSES):
        return None
    return known.get(id(error)) or _made(error, known)


def _made(error: BaseException, known: dict[int, Exception]) -> Exception:
    kind, text = type(error), _safe(error)
    members = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__str__": lambda _: text,
        "__repr__": lambda _: f"{kind.__name__}({text})",
    }
    made: Exception = type(kind.__name__, (Exception,), members)()
    known[id(error)] = made
    made.__traceback__ = error.__traceback__
    made.__cause__ = _stand_in(error.__cause__, known)
    made.__context__ = _stand_in(error.__context__, known)
    made.__suppress_context__ = error.__suppress_context__
    return made


def _safe(error: BaseException) -> str:
    """The text of an exception, where it can hold nobody's data; else empty."""
    if isinstance(error, ConfigurationError):
        return str(error)
    if isinstance(error, ClientError):
        return f"{error.response.get('Error', {}).get('Code', 'no code')} in {error.operation_name}"
    return ""
