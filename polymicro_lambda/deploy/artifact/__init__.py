"""The artifact of a Lambda: a module with a handler comes in, a directory with all that it needs goes out.

Open ``build`` for the steps. ``imports`` finds the modules that the handler reaches, ``dropped_files`` and
``botocore_data`` say which files of dependencies stay out, ``powertools`` finds packages that are missing.
``target_python`` installs, compiles and tries by the Lambda's Python; ``trial_import`` runs in it.
``bytecode_archive`` packs all bytecode into one file, which ``bytecode_importer`` reads in the Lambda. ``sizes`` adds
up the bytes of each package.
"""
