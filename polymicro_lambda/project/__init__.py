"""Project."""

from .engine import create_tables, engine_of, require_region, set_defaults, start_embedded
from .isolation import FAKE_AWS, NOTHING, forget_connections, leaking, own_tables, shared, strict_moto
from .settings import (
    FILE,
    Project,
    UsageError,
    compiled,
    configured,
    find_project,
    import_from,
    load,
    load_app,
    load_authorizer,
    looked,
    parse_user,
    traceback_of,
)

__all__ = [
    "FAKE_AWS",
    "FILE",
    "NOTHING",
    "Project",
    "UsageError",
    "compiled",
    "configured",
    "create_tables",
    "engine_of",
    "find_project",
    "forget_connections",
    "import_from",
    "leaking",
    "load",
    "load_app",
    "load_authorizer",
    "looked",
    "own_tables",
    "parse_user",
    "require_region",
    "set_defaults",
    "shared",
    "start_embedded",
    "strict_moto",
    "traceback_of",
]
