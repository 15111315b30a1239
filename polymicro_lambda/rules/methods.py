"""The ``method`` that a permission is asked about, and which HTTP verbs only read."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""HTTP verbs that change nothing (RFC 9110, section 9.2.1)."""


class Method(str):
    """The ``method`` that a permission is asked about: equal to the verb's name, with its HTTP verb.

    ``method == "update"``, ``method.http`` is ``"PATCH"`` or ``"PUT"``, ``method.safe`` says whether it only
    reads. HEAD counts as the GET that it stands for.
    """

    __slots__ = ("http", "safe")
    http: str
    safe: bool

    def __new__(cls, name: str, http: str) -> "Method":
        """A method of this name under this HTTP verb."""
        method = super().__new__(cls, name)
        method.http = http
        method.safe = http in SAFE_METHODS
        return method
