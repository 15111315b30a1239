"""The commands of `polymicro`, a file for each.

A new command is a function in a file of its own; ``registry`` adds it to the group. ``options`` has the option
``--app``, and the steps from it to the project and its app.
"""
