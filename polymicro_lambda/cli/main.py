"""The entry point of the command line `polymicro`."""

import sys
from importlib.util import find_spec

EXTRA = ("apispec", "click", "flask", "flask_cors", "moto", "rich", "werkzeug", "yaml")
"""What the commands import of the extra ``dev``; the two of flask are moto's server's."""


def main() -> None:
    """Run the command line, or say what to install; ends the process with the exit code."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        sys.exit(f'polymicro needs {", ".join(missing)}. Run: pip install "polymicro-lambda[dev]"')
    # Deferred: all that it imports is there only now.
    from .commands.commands import polymicro  # noqa: PLC0415

    polymicro(prog_name="polymicro")
