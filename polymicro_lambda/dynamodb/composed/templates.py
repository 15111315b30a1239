"""The template of a composed key, ``"{team}#{status}"``: the attributes that it names, and the text around them."""

from string import Formatter
from typing import NamedTuple

from polymicro_lambda.exceptions import ConfigurationError


class Template(NamedTuple):
    """A template, read."""

    names: tuple[str, ...]
    """The attributes, by their names in Python."""
    literals: tuple[str, ...]
    """The text before the first of them, that between each two, and that behind the last."""


def read_template(text: object) -> Template:
    """Read a template; ``{{`` stands for a brace. Raises ``ConfigurationError`` for one that is none."""
    if not isinstance(text, str):
        raise ConfigurationError(f'it takes a template such as "{{team}}#{{status}}", not {text!r}')
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise ConfigurationError(f"the template {text!r} cannot be read: {error}") from error
    names: list[str] = []
    literals = [""]
    for literal, name, form, conversion in pieces:
        literals[-1] += literal
        if name is not None:
            if not name.isidentifier() or form or conversion:
                said = f"{{{name}{'!' if conversion else ''}{conversion or ''}{':' if form else ''}{form}}}"
                raise ConfigurationError(f"the template {text!r}: {said} is no attribute's name")
            names.append(name)
            literals.append("")
    _check(text, names, literals)
    return Template(tuple(names), tuple(literals))


def _check(text: str, names: list[str], literals: list[str]) -> None:
    if not names:
        raise ConfigurationError(f"the template {text!r} names no attribute")
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ConfigurationError(f"the template {text!r} names {repeated[0]!r} twice")
    if not all(literals[1:-1]):
        place = literals[1:-1].index("")
        raise ConfigurationError(
            f"the template {text!r}: nothing separates {names[place]} from {names[place + 1]}, so that different values"
            " would make one key"
        )
    if not "".join(literals).isprintable():
        raise ConfigurationError(f"the template {text!r} holds control characters")
