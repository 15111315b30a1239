"""`PolyMicro`: resources register with it, and it compiles them into a Lambda handler."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pynamodb.models import Model

from .dispatch import (
    Dispatcher,
    Services,
    check_settings,
    checked_on_event,
    lambda_handler,
    make_ready,
    quiet_libraries,
    without_garbage_collection,
    wording_of,
)
from .dynamodb import Digester, client_metering, note_partial_reads, prepare_models
from .exceptions import ConfigurationError
from .http import CORS, HSTS, Request, cors_of, hsts_of, site_of, user_id_by
from .idempotency import NO_KEYS, Idempotency, IdempotencyKeys
from .items import EntityTagger
from .lists import Cursors, configured_secrets, signing_secrets
from .observability import Telemetry, UserHasher, error_logger, request_observers
from .permissions import IsAuthenticated
from .routing import (
    AppSettings,
    Authorization,
    Route,
    Router,
    compile_routes,
    models_of,
    reserve_paths,
    stores_of,
)
from .throttling import Limiter, RateLimit
from .types import Handler
from .writes import Transaction

if TYPE_CHECKING:
    from .local import Wsgi
    from .openapi import Documentation

__all__ = ["PolyMicro"]

MAX_BODY = 1024 * 1024
"""Bytes of a decoded body, unless the app says otherwise."""
_ON = ("1", "true")
"""What switches a variable of the environment on."""


class PolyMicro:
    """An API: give it resources, then ``compile()`` it into a Lambda handler.

    ``req_user_func(request)`` says who makes a request, None for nobody; without it the authorizer's context does.
    ``user_id(user)`` says what of a user identifies it, for users that are neither a ``User`` nor a str.
    ``cursor_secret`` signs pagination keys: one secret, or several of which the first signs
    (``POLYMICRO_CURSOR_SECRET``, several separated by commas). ``table_prefix`` is put before every table's name
    (``POLYMICRO_TABLE_PREFIX``). ``default_permissions`` are those of resources that declare none,
    ``IsAuthenticated`` unless given. ``cors`` is ``"*"`` or a ``CORS``, ``hsts`` True or an ``HSTS``. ``max_body`` is
    the most bytes of a decoded body. ``idempotency`` keeps what requests with an ``Idempotency-Key`` did,
    ``rate_limit`` says how many requests of a user are served. ``docs`` serves ``/openapi.json`` and ``/docs``: True to
    everybody, or to whom these permissions let in. ``base_path`` (``POLYMICRO_BASE_PATH``) begins every path behind a
    custom domain, where the events do not tell it; ``base_url`` (``POLYMICRO_BASE_URL``) begins absolute links where
    clients see another address than the API's own. ``title`` (``POLYMICRO_TITLE``, else the project's name) and
    ``version`` are those of its OpenAPI document. ``renderers`` make answers besides JSON, ``parsers`` read bodies, by
    media type: ``{"text/csv": CSV()}``. ``problem(document, request)`` gives what is sent in place of a problem
    document: a body, or body and headers. ``on_event(event, context)`` takes events that are no HTTP requests, such as
    those of a schedule or a queue; its result is the Lambda's answer.

    ``logger``, ``metrics`` and ``tracer`` are Powertools', or True for such a one of its own; ``logger`` may also be
    of the standard library. Each request is told to them; what is None or False is off. Errors are always logged.
    """

    def __init__(
        self,
        req_user_func: Callable[[Request], Any] | None = None,
        *,
        user_id: Callable[[Any], str] | None = None,
        cursor_secret: str | Sequence[str] | None = None,
        table_prefix: str | None = None,
        default_permissions: Any = IsAuthenticated,
        cors: CORS | str | None = None,
        hsts: HSTS | bool = False,
        max_body: int = MAX_BODY,
        docs: Any = False,
        idempotency: Idempotency | None = None,
        rate_limit: RateLimit | None = None,
        base_path: str | None = None,
        base_url: str | None = None,
        title: str | None = None,
        version: str = "1.0.0",
        renderers: Mapping[str, Any] | None = None,
        parsers: Mapping[str, Any] | None = None,
        problem: Callable[..., Any] | None = None,
        on_event: Callable[[Any, Any], Any] | None = None,
        logger: Any = None,
        metrics: Any = None,
        tracer: Any = None,
    ) -> None:
        self._user_of = req_user_func or attrgetter("user")
        self._user_id = user_id
        self._cursor_secret = cursor_secret
        self._table_prefix = table_prefix
        self._default_permissions = default_permissions
        self._cors, self._hsts = cors, hsts
        self._max_body = max_body
        self._docs = docs
        self._idempotency = idempotency
        self._rate_limit = rate_limit
        self._site = site_of(base_path, base_url)
        self.title, self.version = title or os.environ.get("POLYMICRO_TITLE") or None, version
        self._formats = (renderers or {}, parsers or {})
        self.problem = wording_of(problem)
        self._on_event = checked_on_event(on_event)
        self._observers = (logger, metrics, tracer)
        self._resources: list[Any] = []
        self.routes: tuple[Route, ...] = ()
        """The compiled routes, in the order of registration; empty before ``compile()``."""
        self.documentation: Documentation | None = None
        """What is served of its documentation; None before ``compile()`` and without ``docs``."""

    def register(self, resource: Any) -> None:
        """Add a resource; ``TodoResource(pm)`` calls this."""
        self._resources.append(resource)

    def compile(self) -> Handler:
        """The Lambda handler of all registered resources: ``handler(event, context) -> response``.

        Needs neither network nor credentials. Raises ``ConfigurationError`` naming class and attribute.
        """
        with without_garbage_collection():
            return self._compiled(served=False)

    def served(self) -> Handler:
        """The handler for one's own machine: as ``compile()``, and with documentation that nobody has to ask for.

        Where the app says no ``docs``, it is for everybody, on those of its paths that are no resource's.
        """
        with without_garbage_collection():
            return self._compiled(served=True)

    def _compiled(self, *, served: bool) -> Handler:
        check_settings(self._resources, self._max_body, self._idempotency, self._rate_limit)
        table = None if self._idempotency is None else self._idempotency.model
        settings = AppSettings(self._default_permissions, table, self._rate_limit, *self._formats)
        self.routes = compile_routes(self._resources, settings)
        self._router = router = Router(self.routes)
        models, prefix = tuple(models_of(self.routes)), self._table_prefix
        prepare_models(models, os.environ.get("POLYMICRO_TABLE_PREFIX", "") if prefix is None else prefix)
        note_partial_reads(models)
        self.documentation = self._documented(self.routes, served=served)
        if self.documentation is not None:
            reserve_paths(self.routes, tuple(self.documentation.pages))
        return lambda_handler(self._dispatcher(router, models), self._site, self._on_event, self.routes)

    def _dispatcher(self, router: Router, models: tuple[type[Model], ...]) -> Dispatcher:
        """All that answers one request: the routes, the keys that sign, the limits and the telemetry."""
        signing = signing_secrets(self._cursor_secret)
        debug = os.environ.get("POLYMICRO_DEBUG", "").lower()
        user_id = partial(user_id_by, self._user_id)
        telemetry = self._telemetry(UserHasher.of(user_id, signing[0]), models, debug)
        keyed = configured_secrets(self._cursor_secret)[0]
        keys = self._idempotency_keys(keyed, telemetry.logger)
        make_ready(models, telemetry.logger, debug=debug in _ON, routes=self.routes)
        return Dispatcher(
            router=router,
            user_of=self._user_of,
            services=Services(Cursors(signing), user_id, EntityTagger.of(signing[0]), keys, self.problem),
            max_body=self._max_body,
            cors=cors_of(self._cors),
            hsts=hsts_of(self._hsts),
            limiter=self._limiter(user_id, keyed),
            telemetry=telemetry,
            docs=self.documentation,
        )

    def _telemetry(self, hasher: UserHasher, models: Sequence[type[Model]], debug: str) -> Telemetry:
        """What tells of requests; ``debug`` is what the environment says, in lower case."""
        if debug not in _ON:
            quiet_libraries()
        return Telemetry(
            hasher=hasher,
            logger=error_logger(self._observers[0]),
            observers=request_observers(*self._observers),
            debug=debug in (*_ON, "log"),
            timed=debug in _ON,
            start_metering=client_metering(models),
        )

    def _idempotency_keys(self, secret: str, logger: Any) -> IdempotencyKeys:
        said = self._idempotency
        return NO_KEYS if said is None else IdempotencyKeys.of(secret, said.expires_after, logger)

    def _limiter(self, user_id: Callable[[Any], str], secret: str) -> Limiter | None:
        said = self._rate_limit
        return None if said is None else Limiter(said, user_id, Digester.of(secret, "rate"))

    def _documented(self, routes: tuple[Route, ...], *, served: bool) -> "Documentation | None":
        said = self._docs is not False and self._docs is not None
        if not (said or served):
            return None
        try:
            from .openapi import Documentation  # noqa: PLC0415 - deferred: in a Lambda only with docs
        except ImportError as error:
            raise ConfigurationError(
                "PolyMicro.docs: the artifact was built without it. `polymicro build` looks for docs=… in the source;"
                ' elsewhere say include = ["polymicro_lambda.openapi"] in [tool.polymicro]'
            ) from error
        permissions = self._docs if said else True
        words: Any = {"title": self.title, "version": self.version, "problem": self.problem}
        return Documentation.of(routes, permissions, yields=not said, **words)

    def wsgi(self, **options: Any) -> "Wsgi":
        """The app as a WSGI application; ``options`` are those of ``polymicro_lambda.local.Wsgi``.

        Each HTTP request becomes an event and goes through the same handler. Needs the extra ``dev``.
        """
        from .local import Wsgi  # noqa: PLC0415 - deferred: werkzeug is not in a Lambda

        return Wsgi(self.compile(), **{"authorization": self.authorization, **self.refusals, **options})

    @property
    def refusals(self) -> dict[str, Any]:
        """What an API in front of the app needs to refuse requests in its words: arguments of ``Wsgi``."""
        return {"cors": cors_of(self._cors), "hsts": hsts_of(self._hsts), "problem": self.problem}

    def transaction(self) -> Transaction:
        """Several writes to the app's tables outside of a request, done together where the block ends, or not at all.

        As ``self.store.transaction()`` of a resource, for scripts and events that are no requests. Raises
        ``ConfigurationError`` before ``compile()``, which makes the stores.
        """
        if not self.routes:
            raise ConfigurationError("PolyMicro.transaction() comes before compile(): compile the app first")
        return Transaction(stores_of(self.routes))

    def authorization(self, method: str, segments: Sequence[str]) -> Authorization:
        """How an authorizer stands before a request: ``required``, ``optional``, or ``none``."""
        base = self._site.base_path
        if tuple(segments[: len(base)]) != base:
            return "required"
        segments, docs = segments[len(base) :], self.documentation
        documented = docs is not None and docs.is_open and tuple(segments) in docs.pages
        return "none" if documented else self._router.authorization(method, segments)
