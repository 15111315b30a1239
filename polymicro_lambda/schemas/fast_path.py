"""What turns the compiled path off."""

import os

SWITCH = "POLYMICRO_COMPILED"
"""The variable of the environment: ``0`` or ``false`` turns it off."""


def fast_path_is_on() -> bool:
    """Whether bodies and items take the short ways at all."""
    return os.environ.get(SWITCH, "1").lower() not in ("0", "false")
