"""The switch of the fast path: ``POLYMICRO_COMPILED``."""

import os

SWITCH = "POLYMICRO_COMPILED"
"""The environment variable: ``0`` or ``false`` turns the fast path off."""


def fast_path_is_on() -> bool:
    """Whether bodies and items may be loaded and dumped without marshmallow and without instances."""
    return os.environ.get(SWITCH, "1").lower() not in ("0", "false")
