"""Templates as they stand in files: YAML with CloudFormation's short forms, and what they say of the functions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as ``!Ref``, as their long ones."""


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


def runtime_of(template: Path, handler: str | None) -> str | None:
    """The runtime of the function with this handler, such as ``python3.13``, as ``architecture_of``."""
    document = _read(template)
    for place in _places(document, handler):
        name = _resolved(document, place.get("Runtime"))
        if isinstance(name, str):
            return name
    return None


def architecture_of(template: Path, handler: str | None) -> str | None:
    """The processor of the function with this handler, else of all functions; None where the template does not say.

    ``handler`` is as the template names it; without one what goes for all functions counts.
    """
    document = _read(template)
    for place in _places(document, handler):
        said = _resolved(document, place.get("Architectures"))
        if isinstance(said, list) and len(said) == 1:
            name = _resolved(document, said[0])
            return name if isinstance(name, str) else None
    return None


def _places(document: Mapping[str, Any], handler: str | None) -> tuple[Mapping[str, Any], ...]:
    """The properties of the function with this handler, and those of all functions."""
    return _of_handler(document, handler), document.get("Globals", {}).get("Function", {})


def read_template(text: str) -> Mapping[str, Any]:
    """A template, CloudFormation's short forms as their long ones. Raises ``yaml.YAMLError``."""
    document = yaml.load(text, Loader=_Loader)  # noqa: S506 # nosec B506 - a SafeLoader
    return document if isinstance(document, dict) else {}


def _read(template: Path) -> Mapping[str, Any]:
    try:
        return read_template(template.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}


def _of_handler(document: Mapping[str, Any], handler: str | None) -> Mapping[str, Any]:
    for resource in document.get("Resources", {}).values():
        properties = resource.get("Properties", {}) if isinstance(resource, dict) else {}
        if handler is not None and properties.get("Handler") == handler:
            return properties
    return {}


def _resolved(document: Mapping[str, Any], value: Any) -> Any:
    """A value, or the default of the parameter that it refers to."""
    if isinstance(value, dict) and "Ref" in value:
        return document.get("Parameters", {}).get(value["Ref"], {}).get("Default")
    return value
