"""Deployment: compiled routes and options come in; a SAM template and the artifact of a Lambda go out.

``template_parts`` makes the template: open ``template`` for its sections, ``options`` for the options, ``functions``
and ``function_events`` for the Lambda functions and their events, ``api_gateway`` and ``authorizers`` for the API,
``tables`` for DynamoDB's tables, ``iam_policy`` for the operations that are granted, and ``common_resources`` for
logs, secrets and roles. ``generated_parts`` puts the parts into a file that a person edits too, ``yaml_writer``
makes YAML of them. ``build`` makes the artifact: open ``artifact``. Nothing here calls AWS.
"""

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
