"""Who may do what: permissions, their composition, and the guard of a request.

In comes a resource's declaration (``permissions``, ``field_permissions``, ``fields_for``); out comes a `Rule`. For
each request ``rule.decide(RuleContext(user, method, model))`` gives a `Verdict`, which a `Guard` carries to every read
and write.

- `algebra`: ``&``, ``|`` and ``~``. `permission`: the base class to derive from. `context`: what a permission is
  asked with.
- `verdicts`: True, False, a condition for DynamoDB, or a check in Python.
- `conditions/`: PynamoDB conditions evaluated here as DynamoDB evaluates them (`evaluation`, with a row for each
  operator in `operators`), in a form that DynamoDB takes (`rewriting`), and as a developer states them
  (`requirements`: ``condition=``, ``otherwise=``).
- `sides`: a verdict on the item as it is and as it would be (``judges``).
- `soft_deletion`: items that an attribute says are deleted.
- `field_rules`: the fields that a user may read and write.
- `guards`: the verdict, ``If-Match`` and the visibility of items during one request. `guard_context`: the one that is
  running. `own_writes`: the items that it has written.
- `disclosure`: whether an instance that a verb returns may go out.
"""

from .algebra import AllOf, AnyOf, Not, Owner, Rule, rule_from
from .conditions.defaults import default_at, shown_path
from .conditions.evaluation import equality_of, evaluator, holds, text_equality_of
from .conditions.paths import attributes_of, stored_reader
from .conditions.requirements import (
    Otherwise,
    Requirement,
    check_otherwise,
    check_paths,
    error_of,
    requirement,
)
from .conditions.rewriting import NEVER, sendable
from .conditions.texts import condition_text, stored_text
from .context import SAFE_METHODS, Method, RuleContext, takes_request
from .create_interceptor import CreateInterceptor
from .disclosure import (
    concerns_route,
    forget_judgement,
    is_cleared,
    is_to_be_completed,
    is_trusted,
    mark_judged,
    may_go_out,
    read_related_of,
    trusted,
    whole_rows,
)
from .field_rules import FieldAccess, FieldRules
from .guard_context import (
    begin_guard,
    current_guard,
    end_guard,
    guard_for,
    guarded,
    note_serving,
)
from .guards import Guard
from .map_members import is_written, without
from .own_writes import OwnWrite, RequestMark, item_id
from .permission import PERMISSION_METHODS, Permission
from .related import (
    Claim,
    RelatedCheck,
    RelatedPin,
    can_be_key,
    check_related,
    fetch_with_related,
    forget_related,
    prefetch_related,
    read_related,
    refused_by_related,
    stored_key_part,
)
from .related_pins import early_pins, pins_of_verdict, related_checks, split_related
from .sides import State, attributes_judged_after, attributes_judged_only_after, has_sides
from .soft_deletion import SoftDelete, SoftDeletion
from .stored_values import as_stored
from .through import EVERY, Through
from .verdict_comparison import rest_of_verdict
from .verdicts import (
    BOTH,
    SIDES,
    AllHold,
    ConditionCheck,
    OpaqueCheck,
    SidedCheck,
    TextEquals,
    Verdict,
    attributes_of_verdict,
    certainly_allows,
    certainly_allows_by_parts,
    is_opaque,
    join_verdicts,
    predicate_of,
)

__all__ = [
    "BOTH",
    "EVERY",
    "NEVER",
    "PERMISSION_METHODS",
    "SAFE_METHODS",
    "SIDES",
    "AllHold",
    "AllOf",
    "AnyOf",
    "Claim",
    "ConditionCheck",
    "CreateInterceptor",
    "FieldAccess",
    "FieldRules",
    "Guard",
    "Method",
    "Not",
    "OpaqueCheck",
    "Otherwise",
    "OwnWrite",
    "Owner",
    "Permission",
    "RelatedCheck",
    "RelatedPin",
    "RequestMark",
    "Requirement",
    "Rule",
    "RuleContext",
    "SidedCheck",
    "SoftDelete",
    "SoftDeletion",
    "State",
    "TextEquals",
    "Through",
    "Verdict",
    "as_stored",
    "attributes_judged_after",
    "attributes_judged_only_after",
    "attributes_of",
    "attributes_of_verdict",
    "begin_guard",
    "can_be_key",
    "certainly_allows",
    "certainly_allows_by_parts",
    "check_otherwise",
    "check_paths",
    "check_related",
    "concerns_route",
    "condition_text",
    "current_guard",
    "default_at",
    "early_pins",
    "end_guard",
    "equality_of",
    "error_of",
    "evaluator",
    "fetch_with_related",
    "forget_judgement",
    "forget_related",
    "guard_for",
    "guarded",
    "has_sides",
    "holds",
    "is_cleared",
    "is_opaque",
    "is_to_be_completed",
    "is_trusted",
    "is_written",
    "item_id",
    "join_verdicts",
    "mark_judged",
    "may_go_out",
    "note_serving",
    "pins_of_verdict",
    "predicate_of",
    "prefetch_related",
    "read_related",
    "read_related_of",
    "refused_by_related",
    "related_checks",
    "requirement",
    "rest_of_verdict",
    "rule_from",
    "sendable",
    "shown_path",
    "split_related",
    "stored_key_part",
    "stored_reader",
    "stored_text",
    "takes_request",
    "text_equality_of",
    "trusted",
    "whole_rows",
    "without",
]
