"""Lists: filters, the choice of an index, queries, pages and cursors.

In comes a request's query (``?done=true&sort=-due&limit=10&pagination_key=…``) under the request's guard; out comes a
`Page` of rows and the key after which the next page starts.

- `filters`: declared filters, read from a query and turned into conditions. `filter_operators`: their operators.
  `filter_paths`: what they are of.
- `planner`: a resource's list as a `ListQuery`. `plans`: the cheapest `Plan` for it. `key_conditions`: the part of the
  conditions that a sort key can serve. `access_paths`: the table and its indexes. `refused_lists`: what is said where
  none serves. `composed_keys`: conditions on the parts of a composed key, as conditions on the key.
- `queries`: a plan as DynamoDB's Query or Scan. `merged_queries`: several partitions, as one list. `key_ranges`: the
  range that is left of a sort key's. `iterators`: PynamoDB's own queries, which a verb may return. `rows`: the rows
  read, checked one by one. `listed_rows`: those of a list verb. `pages`: the page of any value that a verb returns.
- `requested_lists`: what a request asks of a list verb that does not ask for it.
- `envelopes`: the JSON object around a list. `list_settings`: what a resource says of all its lists.
- `cursors`: signed, encrypted and expiring pagination keys.
"""

from .access_paths import AccessPath, access_paths_of
from .cursors import NO_KEY, Cursors, Page, configured_secrets, foreign_key, signing_secrets
from .envelopes import COUNT, Envelope
from .filter_operators import FILTER_OPERATORS
from .filter_paths import names_above
from .filters import RESERVED_PARAMETERS, DeclaredFilters, Filters, filter_conditions
from .iterators import rows_from
from .list_settings import NO_SETTINGS, ListSettings, list_settings_of
from .listed_rows import ListedRows, WrappedPage
from .pages import PageReader
from .planner import Planner
from .plans import ListQuery, Plan, plan_list
from .queries import is_counted_by_dynamodb, rows_of
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
    "names_above",
    "plan_list",
    "requested_list",
    "requesting",
    "rows_from",
    "rows_of",
    "signing_secrets",
]
