"""The settings of `polymicro serve`, from the command line to the supervisor and on to the server process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The settings of a server process, which gets them as JSON.

    ``app`` and ``authorizer`` are ``module:name``, ``user`` is ``NAME[:PERMISSION,…]``; ``data`` is the directory of
    the embedded engine's data; ``engine`` names the engine in words; ``listener`` and ``lifeline`` are file
    descriptors; ``reloaded`` is False the first time.
    """

    app: str | None
    authorizer: str | None
    user: str | None
    source: str
    root: str
    host: str
    port: int
    data: str | None = None
    engine: str = ""
    listener: int = -1
    lifeline: int = -1
    reloaded: bool = False
