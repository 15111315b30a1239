"""Deployment: compiled routes and options come in; a SAM template and the artifact of a Lambda go out.

``template_parts`` makes the template: open ``template`` for its sections, ``options`` for the options, ``functions``
for the Lambda functions, ``gateway_routes`` and ``gateway_definition`` for the routes of the API, ``api_gateway``,
``gateway_responses`` and ``authorizers`` for the rest of it, ``limits`` for the figures that AWS limits, ``tables`` for
DynamoDB's tables, ``table_capacity`` for what they cost, ``iam_policy`` and ``policies`` for the operations that are
granted, and ``common_resources`` for logs, secrets and roles. ``generated_parts`` puts the parts into a file that a
person edits too, ``yaml_writer`` makes YAML of them. ``build`` makes the artifact: open ``artifact``. Nothing here
calls AWS.
"""

from .artifact.build import BuildPlan, build
from .artifact.powertools import naming_variables
from .artifact.sizes import size_table
from .artifact.target_python import RUNNING_PYTHON, BuildError
from .gateway_responses import rest_refusals
from .generated_parts import Part, as_dict, has_parts, merge_parts
from .iam_policy import VERB_OPERATIONS, Grant, grants, verb_operations
from .limits import limit_table, limits_of
from .options import RUNTIMES, Options
from .planned_lists import list_plans
from .tables import GLOBAL_INDEXES, LOCAL_INDEXES, Table, next_index_step, tables_of
from .template import template_parts

__all__ = [
    "GLOBAL_INDEXES",
    "LOCAL_INDEXES",
    "RUNNING_PYTHON",
    "RUNTIMES",
    "VERB_OPERATIONS",
    "BuildError",
    "BuildPlan",
    "Grant",
    "Options",
    "Part",
    "Table",
    "as_dict",
    "build",
    "grants",
    "has_parts",
    "limit_table",
    "limits_of",
    "list_plans",
    "merge_parts",
    "naming_variables",
    "next_index_step",
    "rest_refusals",
    "size_table",
    "tables_of",
    "template_parts",
    "verb_operations",
]
