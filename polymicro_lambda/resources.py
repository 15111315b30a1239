"""`ModelResource`: what a resource declares, and the hooks that it may override; `Resource`, which has no model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from marshmallow import Schema
from marshmallow.fields import Field
from pynamodb.models import Model

from .dynamodb import NoTable
from .http import Request
from .lists import Envelope, Planner
from .mixins import Registry
from .rules import Method, SoftDelete
from .schemas import ItemPath
from .writes import Store

__all__ = ["ModelResource", "Resource"]


DEFAULT_IDEMPOTENT = ("create",)
Validation: TypeAlias = Callable[[Any], Any] | Sequence[Callable[[Any], Any]]
"""A validator, or several."""
_PACKAGE = f"{__package__}."


def own_members(resource: type) -> dict[str, Any]:
    """What a resource's classes hold, without those that are this package's or Python's, by name."""
    members: dict[str, Any] = {}
    for cls in reversed(resource.__mro__):
        if cls is not object and not cls.__module__.startswith(_PACKAGE):
            members |= vars(cls)
    return members


class ModelResource:
    """A model as a resource of a REST API: declare it, mix in verbs, and make one with the app.

    ``class TodoResource(ModelResource, Create, List, Retrieve, Update, Delete)``; ``TodoResource(pm)`` registers
    it. An object of it holds no state of a request: it is shared.
    """

    model: ClassVar[type[Model]]
    """The PynamoDB model."""
    route: ClassVar[str]
    """The collection's path, e.g. ``"todo"`` or ``"projects/{project}/tasks"``; ``""`` is the root."""
    permissions: ClassVar[Any] = None
    """One permission class, or an iterable of classes, instances and compositions; the app's default if None.

    Or a dict of these by verbs and actions, in which ``"*"`` is all others: ``{"list": AllowAny, "*": IsStaff}``."""
    schema: ClassVar[type[Schema] | None] = None
    """A marshmallow schema in place of the one made from the model."""
    dump_only: ClassVar[Iterable[str] | str] = ()
    """Attributes that a client reads and never writes."""
    load_only: ClassVar[Iterable[str] | str] = ()
    """Attributes that a client writes and never reads."""
    required: ClassVar[Iterable[str] | str] = ()
    """Attributes that must be given although they have a default or may be null."""
    exclude: ClassVar[Iterable[str] | str] = ()
    """Attributes that a client neither reads nor writes."""
    fields: ClassVar[Mapping[str, Field[Any]]] = {}
    """Marshmallow's fields in place of made ones: ``{"price": fields.Decimal(places=2)}``; ``lines.price`` in maps."""
    validators: ClassVar[Mapping[str, Validation]] = {}
    """Marshmallow's validators beside the made fields: ``{"stock": Range(min=0), "lines.quantity": Range(min=1)}``.

    One of the app's own is a function of the value: it raises ``ValidationError``, or returns False.
    """
    filters: ClassVar[Mapping[str, Sequence[str] | str]] = {}
    """What a list can be filtered by: ``{"done": ("eq",), "due": ("lt", "gte"), "address.city": "in"}``."""
    field_permissions: ClassVar[Mapping[str, Any]] = {}
    """Who may use a field: ``{"salary": InGroup("hr")}``, or ``{"salary": {"read": …, "write": …}}``."""
    unique: ClassVar[Iterable[Any] | str] = ()
    """Attributes of which no two items have the same value: ``("email",)``; ``(("tenant", "slug"),)`` together."""
    lookup: ClassVar[str | None] = None
    """A ``unique`` attribute that stands in the path of items in place of their key: ``"username"``."""
    # These have no value here, which would hide an action of the name in a class that stands behind this one.
    put: ClassVar[str]
    """What PUT does: ``"replace"``, as where nothing is said; ``"merge"``, as PATCH does; ``"upsert"``, which creates
    (201) what is not there."""
    touch: ClassVar[Mapping[str, Any]]
    """What each create and update sets: ``{"updated": now}``, a function without arguments or a value. No client writes
    it."""
    query: ClassVar[Mapping[str, Any]]
    """The marshmallow schemas of the parameters that verbs of its own take: ``{"list": SearchSchema}``, beside filters.
    What such a schema loads is the argument ``query``; else it is 400."""
    responses: ClassVar[Mapping[str, Any]]
    """What verbs answer, for OpenAPI and the testing client: by verb a schema, or by status a schema, a text, or None
    for no body: ``{"retrieve": ReceiptSchema, "create": {201: OrderSchema, 409: "The name is taken."}}``."""
    require_if_match: ClassVar[bool] = False
    """Whether an update or delete without ``If-Match`` is refused (428)."""
    idempotent: ClassVar[Iterable[str] | str] = DEFAULT_IDEMPOTENT
    """The verbs and actions that take an ``Idempotency-Key``, where the app has ``idempotency``."""
    require_idempotency_key: ClassVar[bool] = False
    """Whether such a verb without one is refused (400)."""
    rate_limit: ClassVar[Mapping[str, str | None] | str | None] = None
    """What it serves a user in place of the app's quota: ``"10/minute"``, or for single verbs ``{"create": …}``."""
    requires: ClassVar[Mapping[str, Any]] = {}
    """Conditions of updates, deletes and actions on items: ``{"update": Order.status == "cart"}``, with the text or
    error where it does not hold ``{"delete": (Order.status == "cart", "It is paid already.")}``. Each is part of the
    verb's writes to the item; else 409."""
    attempts: ClassVar[Mapping[str, int]] = {}
    """How often a verb of its own is run, from a fresh read, that loses a race: ``{"update": 3}``. It may have no other
    effects."""
    soft_delete: ClassVar[str | SoftDelete | None] = None
    """The attribute of time that a DELETE sets in place of removing the item: ``"deleted"``. The item counts as gone,
    until ``POST …/restore``. ``SoftDelete("deleted", seen_by=InGroup("staff"))`` shows it to these by
    ``?deleted=true``. A resource without ``Delete`` hides what another one of the model deletes so."""
    max_bulk: ClassVar[int] = 0
    """The most items that a POST of a list creates at once, at most 100 writes; 0 takes no lists."""
    max_limit: ClassVar[int] = 100
    """The most items in a page."""
    read_budget: ClassVar[int] = 5
    """The most calls of DynamoDB (Query, Scan, BatchGetItem) by which one list request reads."""
    cursor_max_age: ClassVar[int] = 86400
    """How long a cursor is good for, in seconds."""
    scan: ClassVar[bool] = False
    """Whether a list may read the whole table."""
    embed: ClassVar[Mapping[str, Any]] = {}
    """Items of other resources that its answers show where ``?embed=`` asks for them, by the names of the members:
    ``{"author": One(Accounts, {"id": "author"}), "comments": Many(Comments, {"article": "id"}, limit=10)}``."""
    calls: ClassVar[Mapping[Any, Sequence[str] | str]] = {}
    """What its own code calls in DynamoDB, for the policy: ``{Member: ("PutItem",), Member.by_user: "Query"}``."""
    envelope: ClassVar[bool | Envelope] = True
    """Whether a list stands in ``{"items": …, "pagination_key": …}``; else it is a bare array.

    Or the names of these members: ``Envelope(items="articles", key="next", count="total")``; with a ``count``,
    ``?count=true`` adds the number of all items."""
    default_sort: ClassVar[str | None] = None
    """The order of a list where ``?sort=`` says none: ``"-created"``. Some index or the table must have it."""

    renderers: ClassVar[Mapping[str, Any]] = {}
    """What makes answers besides JSON, over the app's: ``{"text/csv": CSV()}``; None removes one of the app's."""
    parsers: ClassVar[Mapping[str, Any]] = {}
    """What reads bodies besides JSON, in the same way."""

    store: Store
    """Where the verbs keep their items; set when the app compiles."""
    planner: Planner
    """What finds an index for a list; set when the app compiles."""
    item: ItemPath | None = None
    """Where its items are; set when the app compiles, None without a verb on the item."""

    def __init__(self, app: Registry) -> None:
        app.register(self)

    def clean(self, values: dict[str, Any], instance: Any, user: Any) -> Mapping[str, Any] | None:
        """The values to write, None for ``values`` as they are; called for each create and update.

        ``values`` are those that the verb writes, by attribute, ``instance`` is the item that is updated, None for a
        create: what is read of it is part of the write. May raise ``Unprocessable`` and the other errors.
        """
        return values

    def prepare(self, instances: Sequence[Any], request: Request) -> None:
        """Load what ``represent`` needs of other items: called once with all items that an answer shows."""

    def represent(self, data: dict[str, Any], instance: Any, request: Request) -> Any:
        """What goes out for an item; ``data`` is the instance as the schema dumps it."""
        return data

    def fields_for(self, user: Any, method: Method) -> Any:
        """Which fields the user may use: None for all, names, or a pair of names to read and names to write.

        Asked with ``method`` for what a body may hold, and with ``"retrieve"`` for what an answer to it shows. A field
        that may not be read is absent; one that may not be written is refused with 422.
        """
        return None

    def url_for(self, instance: Any, request: Request) -> str:
        """The absolute URL of an item; empty for a resource without a verb on the item.

        It begins with ``PolyMicro(base_url=…)``, else with the API's own domain, stage and base path. Behind a load
        balancer, whose events name no domain, it is a path.
        """
        if self.item is None:
            return ""
        path = "/".join(self.item.segments_of(instance, request.path_params))
        return f"{request.base_url}/{path}"


class Resource(ModelResource):
    """Routes without a model, such as ``/health``, a login or a webhook: each method marked by ``@action`` is one.

    It takes ``route``, ``permissions``, ``idempotent``, ``require_idempotency_key``, ``rate_limit``, ``attempts``,
    ``calls``, ``query``, ``responses``, ``renderers`` and ``parsers``; it has no ``store``. Parameters of its path are
    texts, in ``request.path_params``.
    """

    model = NoTable
