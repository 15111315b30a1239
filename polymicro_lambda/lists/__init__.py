"""Lists: filters, the choice of an index, queries, pages and cursors.

In comes a request's query (``?done=true&sort=-due&limit=10&pagination_key=…``) under the request's guard; out comes a
`Page` of rows and the key after which the next page starts.

- `filters`: declared filters, read from a query and turned into conditions. `filter_operators`: their operators.
- `planner`: a resource's list as a `ListQuery`. `plans`: the cheapest `Plan` for it. `key_conditions`: the part of the
  conditions that a sort key can serve. `access_paths`: the table and its indexes.
- `queries`: a plan as DynamoDB's Query or Scan. `rows`: the rows read, checked one by one. `pages`: the page of any
  value that a list verb returns.
- `envelopes`: the JSON object around a list. `list_settings`: what a resource says of all its lists.
- `cursors`: signed, encrypted and expiring pagination keys.
"""

from .access_paths import AccessPath, access_paths_of
from .cursors import NO_KEY, Cursors, Page, configured_secrets, foreign_key, signing_secrets
from .envelopes import COUNT, Envelope
from .filter_operators import FILTER_OPERATORS
from .filters import RESERVED_PARAMETERS, DeclaredFilters, Filters, filter_conditions
from .list_settings import NO_SETTINGS, ListSettings, list_settings_of
from .listed_rows import ListedRows, WrappedPage
from .pages import PageReader
from .planner import Planner
from .plans import ListQuery, Plan, plan_list
from .queries import is_counted_by_dynamodb, rows_from, rows_of
from .requested_lists import RequestedList, requested_list, requesting
from .rows import Rows

__all__ = [
    "COUNT",
    "FILTER_OPERATORS",
    "NO_KEY",
    "NO_SETTINGS",
    "RESERVED_PARAMETERS",
    "AccessPath",
    "Cursors",
    "DeclaredFilters",
    "Envelope",
    "Filters",
    "ListQuery",
    "ListSettings",
    "ListedRows",
    "Page",
    "PageReader",
    "Plan",
    "Planner",
    "RequestedList",
    "Rows",
    "WrappedPage",
    "access_paths_of",
    "configured_secrets",
    "filter_conditions",
    "foreign_key",
    "is_counted_by_dynamodb",
    "list_settings_of",
    "plan_list",
    "requested_list",
    "requesting",
    "rows_from",
    "rows_of",
    "signing_secrets",
]
