"""POST of a list: all items are created or none, or with ``Prefer: handling=lenient`` each for itself (RFC 7240)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import http_error_of
from polymicro_lambda.exceptions import ContentTooLarge, HTTPError, InternalError, Unprocessable, title_of
from polymicro_lambda.http import Request, Response, json_response, problem_document
from polymicro_lambda.idempotency import IdempotentRequest
from polymicro_lambda.observability import enter_phase, report_error
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import current_guard, guarded
from polymicro_lambda.writes import BulkCreation

from .problems import ProblemWording
from .requests.item_members import point_into
from .responses.response_builder import ResponseBuilder
from .responses.response_limits import fits
from .responses.verb_results import VerbResult

MULTI_STATUS = 207
"""Each item has a status of its own (RFC 4918, section 13; the body is ours)."""
HANDLING = ("strict", "lenient")
"""What ``Prefer: handling=…`` may say (RFC 7240, section 4.4)."""
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BulkCreate:
    """The items of one request's list."""

    route: Route
    request: Request
    answers: ResponseBuilder
    problem: ProblemWording | None = None
    """What words errors, None for problem documents."""
    repeated: IdempotentRequest | None = None

    @property
    def preference(self) -> str | None:
        """How the client wants errors handled, None where it does not say."""
        for preference in self.request.headers.get("prefer", "").split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            if name.strip().lower() == "handling" and value.strip().strip('"').lower() in HANDLING:
                return value.strip().strip('"').lower()
        return None

    def loaded(self, body: list[Any], load: Callable[[Any], Values]) -> list[Values | HTTPError]:
        """What each item gives, or why it gives nothing.

        Raises ``Unprocessable`` for an empty list, and unless lenient for any item that the schema refuses;
        ``ContentTooLarge`` for too many.
        """
        most = self.route.resource.max_bulk
        if len(body) > most:
            raise ContentTooLarge(f"The list may have at most {most} items.")
        if not body:
            said = [{"pointer": "#", "detail": "Shorter than minimum length 1."}]
            raise Unprocessable("The list is empty.", errors=said)
        items = [_loaded(f"/{number}", item, load) for number, item in enumerate(body)]
        refused = [error for item in items if isinstance(item, HTTPError) for error in item.errors]
        if refused and self.preference != "lenient":
            raise Unprocessable(
                "Items of the list do not fit the schema: nothing is created.", errors=refused
            )
        return items

    def run(self, items: Sequence[Values | HTTPError], call: Callable[[Values], VerbResult]) -> Response:
        """Create them by the resource's verb, and answer."""
        enter_phase("verb")
        act = self._each if self.preference == "lenient" else self._all
        return act(items, call)

    # --- all or none ---------------------------------------------------------------------------------------------

    def _all(self, items: Sequence[Any], call: Callable[[Values], VerbResult]) -> Response:
        batch = BulkCreation(type(self.route.resource).__name__, self.repeated)
        results = []
        with guarded(replace(current_guard(), interceptor=batch)):
            for number, values in enumerate(items):
                batch.place = f"/{number}"
                with _at(batch.place):
                    results.append(_checked(call(values)))
        batch.commit()
        enter_phase("dump")
        self.answers.expect([result.body for result in results])
        return self._answer(201, [self._shown(result.body) for result in results])

    # --- each for itself -----------------------------------------------------------------------------------------

    def _each(self, items: Sequence[Any], call: Callable[[Values], VerbResult]) -> Response:
        entries = [self._entry(f"/{number}", values, call) for number, values in enumerate(items)]
        failed = sum("problem" in entry for entry in entries)
        answer = self._answer(MULTI_STATUS, {"failed": failed, "items": entries})
        if fits(answer.body, self.answers.request.source):
            return answer
        # What became of each is to be told, if no more than that.
        told = [{"status": entry["status"]} for entry in entries]
        return self._answer(MULTI_STATUS, {"failed": failed, "items": told})

    def _entry(self, place: str, values: Any, call: Callable[[Values], VerbResult]) -> dict[str, Any]:
        if self.repeated is not None:
            self.repeated.place = place
        try:
            if isinstance(values, HTTPError):
                return self._refused(values)
            with _at(place):
                result = _checked(call(values))
            return {"status": result.status or 201, "item": self._shown(result.body)}
        except Exception as error:  # noqa: BLE001 - it is answered and logged, and the other items go on
            return self._refused(_answerable(error))

    def _refused(self, error: HTTPError) -> dict[str, Any]:
        problem = problem_document(error) if self.problem is None else self.problem.body(error)
        return {"status": error.status, "problem": problem}

    def _shown(self, body: Any) -> Any:
        return self.answers.nested.shown(body) if isinstance(body, Model) else body

    def _answer(self, status: int, body: Any) -> Response:
        said = self.preference
        headers = {} if said is None else {"preference-applied": f"handling={said}"}
        return json_response(status, body, headers, self.answers.nested.default)


def _loaded(place: str, item: Any, load: Callable[[Any], Values]) -> Values | HTTPError:
    if not isinstance(item, dict):
        said = [{"pointer": f"#{place}", "detail": "This must be a JSON object."}]
        return Unprocessable("This must be a JSON object.", errors=said)
    try:
        return load(item)
    except Unprocessable as error:
        _place(error, place)
        return error


@contextmanager
def _at(place: str) -> Iterator[None]:
    """What is wrong inside is wrong with the item at this place of the body."""
    try:
        yield
    except HTTPError as error:
        if error.status < 500:
            _place(error, place)
        raise


def _place(error: HTTPError, place: str) -> None:
    """Point from an error about one item into the list."""
    error.errors = tuple(one for one in error.errors if "pointer" in one)
    point_into(error, f"#{place}")
    error.errors = error.errors or ({"pointer": f"#{place}", "detail": error.detail or error.title},)


def _checked(result: VerbResult) -> VerbResult:
    """A result; raises where the verb itself answers with an error."""
    if result.status is None or result.status < 400:
        return result
    body = result.body if isinstance(result.body, Mapping) else {}
    detail = body.get("detail")
    error = HTTPError(detail if isinstance(detail, str) else "This item was refused.")
    error.status, error.title = result.status, title_of(result.status)  # type: ignore[misc]
    raise error


def _answerable(error: Exception) -> HTTPError:
    """The error as one that can be answered; what is our fault goes to the log with its cause."""
    answer = error if isinstance(error, HTTPError) else http_error_of(error) or InternalError()
    if answer.status >= 500:
        cause = answer.__cause__ or error
        report_error("An item of a list failed: %s", type(cause).__name__, cause=cause, status=answer.status)
    return answer
