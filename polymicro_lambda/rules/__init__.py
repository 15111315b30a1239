"""Rules."""

from .algebra import PERMISSION_METHODS, AllOf, AnyOf, NoneOf, Owner, Permission, Rule, rule_from
from .conditions import attributes_of, equality_of, evaluator, holds, text_equality_of
from .field_rules import FieldRules
from .guards import CreateInterceptor, Guard, as_stored, begin_guard, current_guard, end_guard, guarded
from .methods import SAFE_METHODS, Method
from .verdicts import (
    AllHold,
    ConditionCheck,
    OpaqueCheck,
    RuleContext,
    TextEquals,
    Verdict,
    attributes_of_verdict,
    certainly_allows,
    is_opaque,
    join_verdicts,
    takes_request,
)

__all__ = [
    "PERMISSION_METHODS",
    "SAFE_METHODS",
    "AllHold",
    "AllOf",
    "AnyOf",
    "ConditionCheck",
    "CreateInterceptor",
    "FieldRules",
    "Guard",
    "Method",
    "NoneOf",
    "OpaqueCheck",
    "Owner",
    "Permission",
    "Rule",
    "RuleContext",
    "TextEquals",
    "Verdict",
    "as_stored",
    "attributes_of",
    "attributes_of_verdict",
    "begin_guard",
    "certainly_allows",
    "current_guard",
    "end_guard",
    "equality_of",
    "evaluator",
    "guarded",
    "holds",
    "is_opaque",
    "join_verdicts",
    "rule_from",
    "takes_request",
    "text_equality_of",
]
