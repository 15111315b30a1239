"""DynamoDB behind PynamoDB and botocore; every private name of PynamoDB, botocore and urllib3 stands in this folder.

In come models, keys, conditions and calls; out go DynamoDB's answers, pages of stored items, and ``HTTPError``.

- ``client``: connections, table prefixes, one call of an operation; ``transport/``: sending, retries, timeouts
- ``error_codes``: another HTTP status or detail for one of DynamoDB's error codes
- ``result_pages``, ``batch_reads``: pages of a query or scan; items by their keys
- ``expressions``, ``typed_values``: conditions as DynamoDB's text; values compared as DynamoDB does
- ``partial_reads``: instances that lack attributes
- ``called_defaults``: defaults that are called, for new items alone
- ``exact_numbers``: numbers of more digits than a float has
- ``raw_maps``: free maps with members of any name
- ``no_table``: what stands for the model of a resource that has none
- ``models``, ``indexes``: keys, version, TTL and indexes of a model
- ``attributes``: attribute classes besides PynamoDB's
- ``composed/``: keys that are made of other attributes
- ``own_tables``, ``digests``: tables that an app keeps for itself, and the digests in them
- ``conflicts``: writes that meet another's transaction
- ``metering``: calls and capacity units of a request
"""

from .attributes import DecimalAttribute, PrefixedAttribute
from .batch_reads import MOST_KEYS, batch_pages, items_of_keys, items_of_tables, key_of_item
from .called_defaults import CalledDefault, has_default
from .client import (
    PREFIX_MEMBER,
    connect,
    execute,
    get_item,
    is_outside_of_prefix,
    one_model_per_client,
    prepare_models,
    table_meta,
    table_name,
    transact_write,
)
from .composed.attribute import ComposedAttribute, composed_keys_of, refuse_unfit_parts
from .composed.keys import HASH_BYTES, RANGE_BYTES, ComposedKey, KeyPart, UnfitPart
from .digests import Digester
from .error_codes import (
    CLIENT_ERRORS,
    CONDITION_FAILED,
    cancellation_items,
    error_code,
    http_error_from_client,
    http_error_of,
    is_answer_lost,
    is_start_key_refused,
    item_of_failed_condition,
    no_answer,
    retry_after,
    translating_errors,
)
from .exact_numbers import keep_all_digits
from .expressions import (
    JUNCTIONS,
    ConditionClause,
    ExpressionTooLarge,
    MemberPath,
    SimpleClause,
    UpdateStep,
    condition_expression,
    expression_arguments,
    fits,
    fold_condition,
    in_post_order,
)
from .indexes import indexes_of, model_of_index
from .metering import client_metering
from .models import (
    ModelInfo,
    has_all_attributes,
    model_info,
    projected_names,
    stored_names,
)
from .no_table import NoTable, has_table, model_of_path
from .own_tables import check_own_tables, check_table, own_table_model
from .partial_reads import (
    PartialItem,
    PartialRead,
    is_outdated,
    mark_outdated,
    method_of,
    note_partial_reads,
    partial_read_of,
    source_of,
)
from .raw_maps import carry_all_names, map_of
from .read_recorder import EVERYTHING, ReadRecorder
from .result_pages import (
    LARGEST_PAGE,
    PAGE_GROWTH,
    IteratorStart,
    ReadPage,
    index_of_iterator,
    limit_of_iterator,
    model_of_iterator,
    pages_of_iterator,
    read_all_attributes,
    restarted,
    start_of_iterator,
)
from .transport.conflicts import has_waited, repeated_in_conflict
from .transport.retries import NO_SECOND_TRY, Tries, watched_tries
from .transport.sessions import private_session, rehearse_call
from .typed_values import NUMBERS, InvalidExpression, TypedValue, number_text, typed_value

carry_all_names()
keep_all_digits()
refuse_unfit_parts()

__all__ = [
    "CLIENT_ERRORS",
    "CONDITION_FAILED",
    "EVERYTHING",
    "HASH_BYTES",
    "JUNCTIONS",
    "LARGEST_PAGE",
    "MOST_KEYS",
    "NO_SECOND_TRY",
    "NUMBERS",
    "PAGE_GROWTH",
    "PREFIX_MEMBER",
    "RANGE_BYTES",
    "CalledDefault",
    "ComposedAttribute",
    "ComposedKey",
    "ConditionClause",
    "DecimalAttribute",
    "Digester",
    "ExpressionTooLarge",
    "InvalidExpression",
    "IteratorStart",
    "KeyPart",
    "MemberPath",
    "ModelInfo",
    "NoTable",
    "PartialItem",
    "PartialRead",
    "PrefixedAttribute",
    "ReadPage",
    "ReadRecorder",
    "SimpleClause",
    "Tries",
    "TypedValue",
    "UnfitPart",
    "UpdateStep",
    "batch_pages",
    "cancellation_items",
    "check_own_tables",
    "check_table",
    "client_metering",
    "composed_keys_of",
    "condition_expression",
    "connect",
    "error_code",
    "execute",
    "expression_arguments",
    "fits",
    "fold_condition",
    "get_item",
    "has_all_attributes",
    "has_default",
    "has_table",
    "has_waited",
    "http_error_from_client",
    "http_error_of",
    "in_post_order",
    "index_of_iterator",
    "indexes_of",
    "is_answer_lost",
    "is_outdated",
    "is_outside_of_prefix",
    "is_start_key_refused",
    "item_of_failed_condition",
    "items_of_keys",
    "items_of_tables",
    "key_of_item",
    "limit_of_iterator",
    "map_of",
    "mark_outdated",
    "method_of",
    "model_info",
    "model_of_index",
    "model_of_iterator",
    "model_of_path",
    "no_answer",
    "note_partial_reads",
    "number_text",
    "one_model_per_client",
    "own_table_model",
    "pages_of_iterator",
    "partial_read_of",
    "prepare_models",
    "private_session",
    "projected_names",
    "read_all_attributes",
    "rehearse_call",
    "repeated_in_conflict",
    "restarted",
    "retry_after",
    "source_of",
    "start_of_iterator",
    "stored_names",
    "table_meta",
    "table_name",
    "transact_write",
    "translating_errors",
    "typed_value",
    "watched_tries",
]
