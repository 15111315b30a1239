"""``python -m polymicro_lambda.cli``: the command line without its script."""

from .main import main

main()
