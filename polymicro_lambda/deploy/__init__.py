"""Deploy."""

from .artifact.build import Plan, build
from .artifact.powertools import unnamed
from .artifact.sizes import table
from .artifact.target_python import THIS, BuildError
from .generated_parts import Part, has_parts, merged
from .iam_policy import NEEDS, Grant, grants, plans
from .options import RUNTIMES, Options
from .tables import GLOBAL, LOCAL, Table, staged, tables_of
from .template import template_parts

__all__ = [
    "GLOBAL",
    "LOCAL",
    "NEEDS",
    "RUNTIMES",
    "THIS",
    "BuildError",
    "Grant",
    "Options",
    "Part",
    "Plan",
    "Table",
    "build",
    "grants",
    "has_parts",
    "merged",
    "plans",
    "staged",
    "table",
    "tables_of",
    "template_parts",
    "unnamed",
]
