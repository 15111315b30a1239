"""DynamoDB behind PynamoDB and botocore; every private name of PynamoDB, botocore and urllib3 stands in this folder.

In come models, keys, conditions and calls; out go DynamoDB's answers, pages of stored items, and ``HTTPError``.

- ``client``: connections, table prefixes, one call of an operation; ``transport/``: sending, retries, timeouts
- ``error_codes``: another HTTP status or detail for one of DynamoDB's error codes
- ``result_pages``, ``batch_reads``: pages of a query or scan; items by their keys
- ``expressions``, ``comparisons``: conditions as DynamoDB's text; values compared as DynamoDB does
- ``models``, ``prefixed_attribute``: keys, version, TTL and indexes of a model; keys with a prefix
- ``own_tables``, ``digests``: tables that an app keeps for itself, and the digests in them
- ``metering``: calls and capacity units of a request
"""

from .batch_reads import batch_get, batch_pages, in_order
from .client import (
    PREFIX,
    connect,
    execute,
    get_item,
    one_per_client,
    prepare_models,
    table_meta,
    table_name,
    transact_write,
)
from .comparisons import OPERATORS, ORDERED, PREFIXED, SIZES, RefusedError, Test, Typed, at_most, typed
from .digests import Digester
from .error_codes import (
    CLIENT_ERRORS,
    CONDITION_FAILED,
    answer_to,
    cancellation_items,
    cancellation_reasons,
    error_code,
    http_error_of,
    is_answer_lost,
    item_of_failed_condition,
    retry_after,
    retry_count,
    translating_errors,
)
from .expressions import Clause, SimpleClause, Step, condition_expression, expressions_of
from .metering import metering_of
from .models import ModelInfo, indexes_of, model_info, model_of_index
from .own_tables import check_own_tables, check_table, own_table
from .prefixed_attribute import PrefixedAttribute
from .result_pages import (
    GROWTH,
    LARGEST,
    ReadPage,
    index_of_iterator,
    limit_of_iterator,
    model_of_iterator,
    pages_of_iterator,
)
from .transport.retries import ONCE
from .transport.sessions import private_session, rehearse_call

__all__ = [
    "CLIENT_ERRORS",
    "CONDITION_FAILED",
    "GROWTH",
    "LARGEST",
    "ONCE",
    "OPERATORS",
    "ORDERED",
    "PREFIX",
    "PREFIXED",
    "SIZES",
    "Clause",
    "Digester",
    "ModelInfo",
    "PrefixedAttribute",
    "ReadPage",
    "RefusedError",
    "SimpleClause",
    "Step",
    "Test",
    "Typed",
    "answer_to",
    "at_most",
    "batch_get",
    "batch_pages",
    "cancellation_items",
    "cancellation_reasons",
    "check_own_tables",
    "check_table",
    "condition_expression",
    "connect",
    "error_code",
    "execute",
    "expressions_of",
    "get_item",
    "http_error_of",
    "in_order",
    "index_of_iterator",
    "indexes_of",
    "is_answer_lost",
    "item_of_failed_condition",
    "limit_of_iterator",
    "metering_of",
    "model_info",
    "model_of_index",
    "model_of_iterator",
    "one_per_client",
    "own_table",
    "pages_of_iterator",
    "prepare_models",
    "private_session",
    "rehearse_call",
    "retry_after",
    "retry_count",
    "table_meta",
    "table_name",
    "transact_write",
    "translating_errors",
    "typed",
]
