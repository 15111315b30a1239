"""Lists: filters, the choice of an index, queries, pages and cursors.

In comes a request's query (``?done=true&sort=-due&limit=10&pagination_key=…``) under the request's guard; out comes a
`Page` of rows and the key after which the next page starts.

- `filtering`: declared filters, read from a query and turned into conditions, and their operators.
- `planning`: the table and its indexes, and the cheapest `Plan` for a list, by its conditions; what is said where none
  serves.
- `reading`: a plan as DynamoDB's Query or Scan, or several queries as one list; the rows read, checked one by one;
  PynamoDB's own queries, which a verb may return.
- `pages`: the page of any value that a list verb returns. `cursors`: signed, encrypted and expiring pagination keys.
- `list_settings`, `envelopes`: what a resource says of its lists. `requested_lists`: what a request asks of a list verb
  that does not ask for it.
"""

from .cursors import NO_KEY, Cursors, Page, configured_secrets, foreign_key, signing_secrets
from .envelopes import COUNT, Envelope
from .filtering.filter_operators import FILTER_OPERATORS
from .filtering.filter_paths import names_above
from .filtering.filters import RESERVED_PARAMETERS, DeclaredFilters, Filters, filter_conditions
from .list_settings import NO_SETTINGS, ListSettings, list_settings_of
from .pages import PageReader
from .planning.access_paths import AccessPath, access_paths_of
from .planning.planner import Planner
from .planning.plans import ListQuery, Plan, plan_list
from .planning.refused_lists import UnservedOrder
from .reading.iterators import rows_from
from .reading.listed_rows import ListedRows, WrappedPage
from .reading.queries import is_counted_by_dynamodb, rows_of
from .reading.rows import Rows
from .requested_lists import RequestedList, requested_list, requesting

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
    "UnservedOrder",
    "WrappedPage",
    "access_paths_of",
    "configured_secrets",
    "filter_conditions",
    "foreign_key",
    "is_counted_by_dynamodb",
    "list_settings_of",
    "names_above",
    "plan_list",
    "requested_list",
    "requesting",
    "rows_from",
    "rows_of",
    "signing_secrets",
]
