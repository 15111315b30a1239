"""A project on your machine, for the command line and for tests: its settings, its app, a DynamoDB for it.

In comes a directory, or ``module:name``; out come the app, its handler, an ``Engine``, and ``UsageError`` where the
project has a mistake. Open ``settings`` for pyproject.toml, ``loading`` for the import of the app and the tracebacks of
its mistakes, ``engine`` for the embedded DynamoDB and the creation of tables, ``isolation`` for an environment and
tables that no other test sees, ``policy_check`` for a client that knows the template's policy, ``readable_logs`` for
logs as text, ``seeds`` for items in a file.
"""

from .engine import create_tables, engine_of, require_region, set_defaults, start_embedded
from .isolation import (
    FAKE_AWS,
    NO_AWS_SETTINGS,
    forget_connections,
    machine_variables,
    own_tables,
    shared_engine,
    strict_moto,
)
from .loading import compiled_handler, import_from, load_app, load_authorizer, load_object, traceback_of
from .policy_check import PolicyClient
from .readable_logs import make_logs_readable
from .seeds import read_seeds, write_seeds
from .settings import PYPROJECT, Project, UsageError, find_project, required_app, search_hint

__all__ = [
    "FAKE_AWS",
    "NO_AWS_SETTINGS",
    "PYPROJECT",
    "PolicyClient",
    "Project",
    "UsageError",
    "compiled_handler",
    "create_tables",
    "engine_of",
    "find_project",
    "forget_connections",
    "import_from",
    "load_app",
    "load_authorizer",
    "load_object",
    "machine_variables",
    "make_logs_readable",
    "own_tables",
    "read_seeds",
    "require_region",
    "required_app",
    "search_hint",
    "set_defaults",
    "shared_engine",
    "start_embedded",
    "strict_moto",
    "traceback_of",
    "write_seeds",
]
