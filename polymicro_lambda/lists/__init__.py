"""Lists."""

from .access_paths import AccessPath, access_paths_of
from .cursors import NO_KEY, Cursors, Page, configured_secrets, signing_secrets
from .filters import OPERATORS, RESERVED, DeclaredFilters, Filters, filter_conditions
from .pages import PageReader
from .planner import Planner
from .plans import ListQuery, Plan, plan_list
from .queries import rows_of
from .rows import Rows

__all__ = [
    "NO_KEY",
    "OPERATORS",
    "RESERVED",
    "AccessPath",
    "Cursors",
    "DeclaredFilters",
    "Filters",
    "ListQuery",
    "Page",
    "PageReader",
    "Plan",
    "Planner",
    "Rows",
    "access_paths_of",
    "configured_secrets",
    "filter_conditions",
    "plan_list",
    "rows_of",
    "signing_secrets",
]
