"""The command line `polymicro`.

In come the words of a command, out goes what it prints. ``main`` finds out whether the extra ``dev`` is installed
before anything of it is imported. ``commands/`` has a file for each command, ``serving/`` the processes of
`polymicro serve`; ``explain`` tells a request's calls, ``route_table`` those of every route, ``wording`` puts rules and
conditions in words, ``new_project`` writes the files of ``skeleton/``.
"""

from .main import main

__all__ = ["main"]
