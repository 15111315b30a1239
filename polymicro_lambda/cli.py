"""The command line `polymicro`: the entry point, which says what is missing where the extra `dev` is not installed."""

import sys

EXTRA = frozenset({"click", "flask", "flask_cors", "moto", "rich", "werkzeug"})
"""What the extra ``dev`` installs and the commands import."""


def main() -> None:
    """Run the command line; ends the process with the exit code."""
    try:
        # Deferred: what it imports comes with the extra `dev`.
        from ._commands import polymicro  # noqa: PLC0415

        polymicro(prog_name="polymicro")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.exit(
            f'polymicro needs {error.name}, which is not installed. Run: pip install "polymicro-lambda[dev]"'
        )


if __name__ == "__main__":
    main()
