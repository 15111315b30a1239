"""The command line `polymicro`.

In come the words of a command, out goes its text. ``main`` finds out whether the extra ``dev`` is installed before it
imports anything of it. Open ``commands/`` for a command, and its ``registry`` to add one; ``serving/`` for the
processes of `polymicro serve`; ``explain/`` for the lines of `routes --explain`, ``route_table`` for the table of
`routes`, and ``wording`` for rules and conditions in words. ``new_project`` has the files of `new`, out of
``skeleton/``; ``template_options`` and ``index_steps`` belong to `template`. ``console`` prints, ``user_option`` reads
``--as``.
"""

from .main import main

__all__ = ["main"]
