"""`Through`, the permission of users whom a related item lets in: a membership, a role, a friendship."""

from collections.abc import Collection, Mapping
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.spelling import did_you_mean

from .conditions.requirements import requirement
from .conditions.texts import condition_text
from .context import Method, RuleContext
from .permission import Permission
from .related import CACHE, Claim, RelatedCheck, Source, can_be_key, path_values, stored_key_part
from .soft_deletion import SoftDeletion
from .verdicts import BOTH, SidedCheck, Verdict

EVERY = "*"
"""The key of a dict by methods that stands for all others."""
METHODS = ("create", "list", "retrieve", "update", "delete", "restore")
"""The verbs that come with the package."""
OPERATIONS = ("BatchGetItem", "ConditionCheckItem", "GetItem")
"""What reads and writes under the permission call on the related table."""


class Through(Permission):
    """Users for whom there is a related item, and a condition holds on it.

    ``Through(Member, {"project": "project", "user": Claim("uuid")}, where=Member.role == "admin")``: each part of the
    related item's key is an attribute of the item, by its name or the path's, or a ``Claim`` of the user. ``where`` is
    a condition on the related item, or one for each method: ``{"delete": Member.role == "admin", "*": None}``; a method
    that is not in it is refused.

    A write is conditional on it, in one transaction: a role that is taken away meanwhile refuses the write.
    ``atomic=False`` reads it before the write alone. Raises ``ConfigurationError`` for a key that is none.
    """

    def __init__(
        self, model: type[Model], key: Mapping[str, "str | Claim"], *, where: Any = None, atomic: bool = True
    ) -> None:
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ConfigurationError(f"Through takes a model and a key, not {model!r}")
        names = model_info(model).address
        if not isinstance(key, Mapping) or key.keys() != names.keys():
            raise ConfigurationError(f"Through({model.__name__}, …): the key must say {', '.join(names)}")
        for name, said in key.items():
            if not isinstance(said, str | Claim):
                raise ConfigurationError(
                    f"Through({model.__name__}, …): {name} is the name of an attribute or a Claim, not {said!r}"
                )
        self.model = model
        self.key = dict(key)
        self.atomic = atomic
        self._where = dict(where) if isinstance(where, Mapping) else {EVERY: where}
        self.where_by_method = self._where
        for condition in self.where_by_method.values():
            if condition is not None:
                requirement(model, condition, where=f"Through({model.__name__}, …): where")
        self.calls = {model: OPERATIONS}

    def has_permission(self, user: Any, method: Method) -> bool:
        """Nothing is said without the related item: see ``decide``."""
        return True

    @property
    def asks_request(self) -> bool:
        """The path may say a part of the key."""
        return True

    def is_of_item(self, model: type[Model]) -> bool:
        """Whether user and item of this model say the whole key, without a path."""
        attributes = model.get_attributes()
        return all(isinstance(said, Claim) or said in attributes for said in self.key.values())

    def check(
        self,
        where: str,
        attributes: Mapping[str, Attribute[Any]],
        in_path: frozenset[str],
        methods: Collection[str],
    ) -> None:
        """Raise ``ConfigurationError`` for a part of the key that neither the path nor an item can say.

        And for a method of ``where`` that is none of the resource's ``methods``, but a slip of one.
        """
        keys = model_info(self.model).address
        for name, said in self.key.items():
            if isinstance(said, Claim) or said in in_path:
                continue
            if said not in attributes:
                near = did_you_mean(said, attributes)
                raise ConfigurationError(
                    f"{where}: {self} takes {name} from {said!r}, which is no attribute{near}"
                )
            if not can_be_key(attributes[said], keys[name]):
                kind = type(attributes[said]).__name__
                raise ConfigurationError(
                    f"{where}: {self} takes {name} from {said!r}, a {kind}, which can be no {name} of"
                    f" {self.model.__name__}"
                )
        self._check_methods(where, [*METHODS, *methods])

    def _check_methods(self, where: str, methods: Collection[str]) -> None:
        for method in self._where.keys() - {EVERY, *methods}:  # another resource may have such an action
            near = did_you_mean(str(method), methods)
            if near:
                raise ConfigurationError(
                    f"{where}: where of {self} names {method!r}, which is no verb of it{near}"
                )

    def leave_out(self, deletion: SoftDeletion) -> None:
        """Let related items that are soft-deleted let nobody in, as if there were none."""
        live = deletion.is_live
        self.where_by_method = {
            method: live if condition is None else condition & live
            for method, condition in self._where.items()
        }

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The check of the related item; False where there can be none that lets the user in."""
        if (context.user is None and not self.anonymous) or context.request is None:
            return False
        method = str(context.method)
        if method not in self.where_by_method and EVERY not in self.where_by_method:
            return False
        condition: Condition | None = self.where_by_method.get(method, self.where_by_method.get(EVERY))
        check = self._check(context, condition, negated)
        if check.is_early and check.key({}) is None:
            return negated
        return check if self.judges == BOTH else SidedCheck(check, self.judges)

    def _check(self, context: RuleContext, condition: Condition | None, negated: bool) -> RelatedCheck:
        known: dict[str, dict[str, Any] | None] = {}
        sources: dict[str, Source] = {}
        own_sources: dict[str, Source] = {}
        path, attributes = path_values(context), context.model.get_attributes()
        for name, attribute in model_info(self.model).address.items():
            said, place = self.key[name], attribute.attr_name
            if isinstance(said, Claim):
                known[place] = stored_key_part(attribute, said.value(context.user))
            elif said in path:
                known[place] = stored_key_part(attribute, path[said])
                if said in attributes:
                    own_sources[place] = Source(attributes[said], attribute)
            else:
                sources[place] = Source(attributes[said], attribute)
        assert context.request is not None  # nosec B101 # noqa: S101 - for the type checker
        cache = context.request.state.setdefault(CACHE, {})
        return RelatedCheck(self.model, condition, known, sources, own_sources, negated, self.atomic, cache)

    def __str__(self) -> str:
        conditions = {
            method: one if one is None else condition_text(one) for method, one in self._where.items()
        }
        plain = conditions.get(EVERY) if conditions.keys() <= {EVERY} else conditions
        where = "" if plain is None else f", where={plain}"
        return f"Through({self.model.__name__}, {self.key!r}{where})"
