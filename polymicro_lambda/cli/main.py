"""The entry point of the command line `polymicro`."""

import sys
from importlib.util import find_spec

EXTRA = ("apispec", "click", "flask", "flask_cors", "moto", "rich", "werkzeug", "yaml")
"""The modules of the extra ``dev`` that the commands import; moto's server imports the two of flask."""


def main() -> None:
    """Run the command line, or say what to install; ends the process with the exit code."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        sys.exit(f'polymicro needs {", ".join(missing)}. Run: pip install "polymicro-lambda[dev]"')
    # Deferred: without the extra its imports fail.
    from .commands.registry import polymicro  # noqa: PLC0415

    polymicro(prog_name="polymicro")
