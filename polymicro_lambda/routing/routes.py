"""Routes: the one form in which everything about an API is known, and the tree that finds them by path."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema
from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_table, model_info
from polymicro_lambda.http import BodyType, Representation
from polymicro_lambda.items import FieldSelection, is_volatile
from polymicro_lambda.lazy import compute_lazy, lazy
from polymicro_lambda.lists import NO_SETTINGS, DeclaredFilters, ListSettings
from polymicro_lambda.resources import ModelResource
from polymicro_lambda.rules import SAFE_METHODS, FieldRules, Method, Owner, Requirement, Rule, SoftDeletion
from polymicro_lambda.schemas import ItemSchema, parameter_name, whole_schema
from polymicro_lambda.throttling import Rate
from polymicro_lambda.writes import Lookup, UniqueConstraints

from .declared.declared_calls import Call
from .declared.declared_forms import NO_FORM, Form
from .declared.verb_rules import VerbRules
from .embed import Embed
from .verbs import RESTORE, Verb


@dataclass(eq=False)
class Route:
    """One HTTP verb on one path, compiled: what is asked, loaded, called and answered.

    Nobody changes one. That Python does not see to it saves a fifth of a compilation.
    """

    resource: ModelResource
    about: Verb
    http: str
    parts: tuple[str, ...]
    """The path's segments: literals, and parameters as ``{name}``."""
    rule: Rule
    rules: VerbRules
    """Those of all verbs of the resource: that for ``retrieve`` is asked also where it has no such verb."""
    retrieves: bool
    """The resource has the verb ``retrieve``."""
    schema: ItemSchema
    call: Callable[..., Any]
    arguments: frozenset[str]
    """What the verb's method declares."""
    is_default: bool
    """The verb is the mixin's own: it needs no instance but its key."""
    filters: DeclaredFilters
    """What a list can be filtered by."""
    field_rules: FieldRules
    """Which fields a user may read and write."""
    idempotency_table: type[Model] | None = None
    """Where the records of this verb's ``Idempotency-Key`` are, None where it takes none."""
    uniqueness: UniqueConstraints | None = None
    """What is unique among the items, None for nothing."""
    lookup: Lookup | None = None
    """What stands in its path in place of its item's key, None for the key and for what has no item."""
    rate: Rate | None = None
    """How often a user may use this verb, None where that is not limited."""
    is_action: bool = False
    requirement: Requirement | None = None
    """The condition of its writes to the item of the path, None for none."""
    attempts: int = 1
    """How often the verb is run, where it loses a race."""
    form: Form = NO_FORM
    """What the app says of its body, its query and its answers."""
    asks_request: bool = False
    """Some permission of the rule looks at the request."""
    calls: tuple[Call, ...] = ()
    """What the resource and its permissions say that they call by themselves."""
    whole: bool = False
    """A hook or a schema of the resource's own needs instances for what an answer shows of items."""
    touched: frozenset[str] = frozenset()
    """What each create and update sets, by the attributes' names in DynamoDB."""
    put: str = "replace"
    """What PUT does to the resource's items; see ``ModelResource.put``."""
    cleans: bool = False
    """A hook of the resource's own makes the values that are written."""
    list_settings: ListSettings = NO_SETTINGS
    """The form of its pages, and what they are where a request says nothing."""
    embeds: tuple[Embed, ...] = ()
    """What its answers can show of other resources; set when all of these are compiled."""
    bound: Mapping[str, Owner] = field(default_factory=dict)
    """Attributes that every caller must own."""
    bindable: frozenset[str] | None = None
    """Attributes that a request may bind to one value, None where only the request tells."""
    creation: "Route | None" = None
    """For a PUT that creates what is not there the route of a create; else None."""
    owned: Mapping[str, Owner] = field(default_factory=dict)
    """Attributes that a new item takes from the user where the body does not say."""
    others: Mapping[type[Model], "Route"] = field(default_factory=dict)
    """Of each model a route of the first resource that has it; set when all of these are compiled."""
    deletion: SoftDeletion | None = None
    """How the resource's items say that they are deleted, None where none stays."""
    representations: tuple[Representation, ...] = ()
    """What its answers can be given as, besides JSON."""
    body_types: tuple[BodyType, ...] = ()
    """What its body can be sent as, besides JSON."""
    verb: str = field(init=False, repr=False)
    """The verb's name."""
    model: type[Model] = field(init=False, repr=False)
    """The resource's model; of a ``Resource`` one that ``has_table`` knows."""
    template: str = field(init=False, repr=False)
    """The path, e.g. ``/todo/{owner}/{uuid}``."""

    def __post_init__(self) -> None:
        self.verb, self.model = self.about.name, self.schema.declaration.model
        self.template = "/" + "/".join(self.parts)

    @lazy
    def params(self) -> tuple[str, ...]:
        """The names of the path's parameters, in order."""
        return tuple(name for name in map(parameter_name, self.parts) if name is not None)

    @lazy
    def _places(self) -> tuple[int, ...]:
        return tuple(place for place, part in enumerate(self.parts) if parameter_name(part) is not None)

    def path_texts(self, segments: Sequence[str]) -> dict[str, str]:
        """The parameters of a path with these segments, by name, as they stand in it."""
        return dict(zip(self.params, [segments[place] for place in self._places], strict=True))

    @lazy
    def beyond(self) -> tuple[str, ...]:
        """The path's parameters that say of an item more than its key."""
        if self.lookup is not None:
            return tuple(name for name in self.params if name != self.address)
        keys = model_info(self.model).address if self.about.detail else self.params
        return tuple(name for name in self.params if name not in keys)

    def other_of(self, model: type[Model]) -> "Route | None":
        """A route of the first resource that has a model, or the nearest one that it inherits from."""
        return next((self.others[one] for one in model.__mro__ if one in self.others), None)

    def schema_of(self, model: type[Model]) -> ItemSchema:
        """What instances of a model are shown by: without a model by the schema of the first resource that has it."""
        if has_table(self.model):
            return self.schema
        other = self.other_of(model)
        return whole_schema(model) if other is None else other.schema

    @property
    def address(self) -> str | None:
        """The parameter of its path by which its item is looked up, None for none."""
        return None if self.lookup is None else self.lookup.name

    @lazy
    def offered(self) -> Mapping[str, Owner]:
        """Those of ``owned`` that not every caller must own."""
        return {name: owner for name, owner in self.owned.items() if name not in self.bound}

    @lazy
    def method(self) -> Method:
        """What permissions are asked about."""
        return Method(self.verb, self.http)

    @lazy
    def selection(self) -> FieldSelection | None:
        """What an answer shows of items, where nothing needs instances for it."""
        return None if self.whole else FieldSelection.of(self.model, self.schema.names)

    @lazy
    def volatile(self) -> bool:
        """Whether two reads of one stored item may show different values."""
        return is_volatile(self.model)

    @lazy
    def reads_item(self) -> bool:
        """Whether code of the resource's own may look at the item before the verb answers."""
        return not self.is_default or (self.cleans and self.verb == "update")

    @lazy
    def at_once(self) -> bool:
        """Whether the verb is the mixin's own, of one item by its key, and an answer shows all of what is stored."""
        shows = self.selection is not None and self.selection.names is None and self.field_rules.free
        embeds = any(one.always for one in self.embeds)
        by_key = self.verb != "list" and not self.beyond and self.lookup is None and not embeds
        # A read by the key alone would not see that the item is deleted.
        return not self.reads_item and shows and by_key and (self.deletion is None or self.writes)

    def ready(self) -> None:
        """Make what a first request would have to make."""
        items = (self.resource.store, self.resource.planner) if has_table(self.model) else ()
        for owner in (self, self.schema, self.field_rules, self.filters, *items):
            compute_lazy(owner)

    @lazy
    def item_member(self) -> str | None:
        """The member in which a single item stands, in bodies and answers; None for none."""
        envelope = self.list_settings.envelope
        return None if envelope is None else envelope.item

    @property
    def full_name(self) -> str:
        """Resource and verb, e.g. ``TodoResource.create``."""
        return f"{type(self.resource).__name__}.{self.verb}"

    @property
    def models(self) -> tuple[type[Model], ...]:
        """Those whose tables it needs: the resource's, those that its code and permissions call, the app's own."""
        unique = self.uniqueness if self.writes or self.lookup else None
        reservations = None if unique is None else unique.reservation_table
        counters = None if self.rate is None else self.rate.counters
        own = (one for one in (self.idempotency_table, reservations, counters) if one is not None)
        items = (self.model,) if has_table(self.model) else ()
        return (*items, *(call.model for call in self.calls), *own)

    @property
    def writes(self) -> bool:
        """Whether it may write items of the model."""
        return self.http not in SAFE_METHODS

    @property
    def merges(self) -> bool:
        """Whether its body says what is to change of an item (RFC 7396)."""
        return self.http == "PATCH" or (self.http == "PUT" and self.put == "merge")

    @property
    def body_schema(self) -> Schema:
        """The schema that loads its body, where that is an item."""
        if self.verb == "create":
            return self.schema.creating
        return self.schema.merging if self.merges else self.schema.updating

    @property
    def is_restore(self) -> bool:
        """Whether it brings back a deleted item."""
        return self.about is RESTORE

    @lazy
    def shows_deleted(self) -> Rule | None:
        """Who may ask it for deleted items by ``?deleted=true``, None where it does not know that parameter."""
        reads = not self.is_action and self.verb in ("list", "retrieve")
        return self.deletion.seen_by if self.deletion is not None and reads else None

    @property
    def takes_many(self) -> bool:
        """Whether its body may be a list of items."""
        return self.verb == "create" and not self.is_action and self.resource.max_bulk > 0
