"""What the app says of a verb's body, query and answers, which its code cannot tell."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.routing.verbs import ACTION, Action, Verb, is_mixed_in
from polymicro_lambda.spelling import did_you_mean

from .answer_bodies import misfits

STATUSES = range(200, 600)
"""An informational status (1xx) is no answer (RFC 9110, section 15.2)."""
BODILESS = (204, 205, 304)
"""Statuses whose answers have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5)."""


class Answer(NamedTuple):
    """What a verb answers with one of its statuses."""

    schema: Schema | None = None
    """That of the body, None where nothing is said of it."""
    text: str = ""
    """What it means, for people."""
    bare: bool = False
    """It has no body."""

    def check(self, body: Any) -> None:
        """Raise ``ValidationError`` that names place and value, where a body is not as the schema says."""
        for where, why in () if self.schema is None else misfits(self.schema, body):
            raise ValidationError(f"{where}: {why}")


class Form(NamedTuple):
    """The body and the query that a verb takes, and its answers, as far as the app says them."""

    body: Schema | None = None
    """That of an action, None where any JSON will do."""
    query: Schema | None = None
    """Its parameters beside those that it has anyway; None for no more."""
    answers: Mapping[int, Answer] = MappingProxyType({})
    """By status; empty where nothing is said."""

    @property
    def has_success(self) -> bool:
        """Whether some answer of a success is said: then there are no others."""
        return any(status < 300 for status in self.answers)


NO_FORM = Form()


def form_of(resource: Any, verb: Verb, action: Action | None) -> Form:
    """What is said of a verb. Raises ``ConfigurationError``."""
    name = f"{type(resource).__name__}"
    queries, responses = _said(resource, "query"), _said(resource, "responses")
    if action is None and verb.name not in queries and verb.name not in responses:
        return NO_FORM
    of_verb = _one(name, "query", verb.name, queries, None if action is None else action.query)
    query = None if of_verb is None else _query(*of_verb)
    said = _one(name, "responses", verb.name, responses, None if action is None else action.responses)
    answers = {} if said is None else _answers(*said, verb.status)
    if action is not None and action.response is not None:
        where = f"{name}.{verb.name}: response"
        if verb.status in answers:
            raise ConfigurationError(f"{where} is that of {verb.status}, as responses say too: say it once")
        answers[verb.status] = _answer(where, verb.status, action.response)
    body = None if action is None or action.schema is None else action.schema()
    return Form(body, query, answers)


def check_forms(name: str, resource: Any, verbs: Sequence[Verb]) -> None:
    """Raise ``ConfigurationError`` for a verb in ``query`` or ``responses`` that the resource does not have.

    And for a query of a mixin's own verb, which would not read it.
    """
    by_name = {verb.name for verb in verbs}
    for setting in ("query", "responses"):
        for verb in _said(resource, setting):
            if verb not in by_name:
                raise ConfigurationError(
                    f"{name}.{setting} names {verb!r}, which is no verb of it{did_you_mean(str(verb), by_name)}"
                )
    for verb in _said(resource, "query"):
        if is_mixed_in(resource, verb):
            raise ConfigurationError(
                f"{name}.query[{verb!r}] is for a verb of your own: the mixin's does not read it"
            )


def _said(resource: Any, setting: str) -> Mapping[str, Any]:
    said = getattr(resource, setting, None)
    if said is None or hasattr(said, ACTION):  # an action may have this name
        return {}
    if not isinstance(said, Mapping):
        raise ConfigurationError(
            f'{type(resource).__name__}.{setting} must be a dict by verbs, such as {{"list": …}}, not {said!r}'
        )
    return said


def _one(
    name: str, setting: str, verb: str, of_resource: Mapping[str, Any], of_action: Any
) -> tuple[str, Any] | None:
    """Where it is said, and what; None where nothing is."""
    if of_action is None:
        return (f"{name}.{setting}[{verb!r}]", of_resource[verb]) if verb in of_resource else None
    if verb in of_resource:
        raise ConfigurationError(
            f"{name}.{setting} names {verb!r}, whose @action says {setting} too: say it once"
        )
    return f"{name}.{verb}: {setting}", of_action


# --- answers -----------------------------------------------------------------------------------------------------


def _answers(where: str, said: Any, usual: int) -> dict[int, Answer]:
    if not isinstance(said, Mapping):
        return {usual: _answer(where, usual, said)}
    for status in said:
        if type(status) is not int or status not in STATUSES:
            raise ConfigurationError(
                f"{where}: {status!r} is no status of an answer: say one from 200 to 599"
            )
    return {status: _answer(f"{where}[{status}]", status, one) for status, one in said.items()}


def _answer(where: str, status: int, said: Any) -> Answer:
    if said is None:
        return Answer(bare=True)
    if isinstance(said, str):
        return Answer(text=said, bare=status in BODILESS)
    schema = _schema(
        where, said, "must be a marshmallow Schema, a text that describes it, or None for no body"
    )
    if status in BODILESS:
        raise ConfigurationError(f"{where}: an answer with the status {status} has no body: say None")
    return Answer(schema)


def _schema(where: str, said: Any, wanted: str) -> Schema:
    schema = said() if isinstance(said, type) and issubclass(said, Schema) else said
    if not isinstance(schema, Schema):
        raise ConfigurationError(f"{where} {wanted}, not {said!r}")
    return schema


# --- the query ---------------------------------------------------------------------------------------------------


def _query(where: str, said: Any) -> Schema:
    schema = _schema(where, said, "must be a marshmallow Schema")
    if schema.many:
        raise ConfigurationError(f"{where}: a query is one object: say the schema without many=True")
    for name, field in query_fields(schema).items():
        inner = getattr(field, "inner", field)
        if isinstance(inner, fields.Nested | fields.Mapping | fields.List | fields.Tuple):
            raise ConfigurationError(
                f"{where}: {name!r} is a {type(inner).__name__}, which no parameter can say"
            )
    return schema


def query_fields(schema: Schema) -> dict[str, fields.Field[Any]]:
    """The fields of a query's schema, by the names of the parameters."""
    return {field.data_key or name: field for name, field in schema.load_fields.items()}


def several_of(schema: Schema) -> Iterable[str]:
    """The parameters of a query's schema that may have several values."""
    return (name for name, field in query_fields(schema).items() if isinstance(field, fields.List))
