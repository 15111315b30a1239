"""The renderers and parsers of a resource: the app's, and over them its own."""

from dataclasses import replace
from typing import Any

from polymicro_lambda.http import body_types_of, checked_formats, joined_formats, representations_of
from polymicro_lambda.routing.app_settings import AppSettings
from polymicro_lambda.routing.declarations import Declaration


def with_checked_formats(app: AppSettings) -> AppSettings:
    """The settings, their renderers and parsers by media types in lower case. Raises ``ConfigurationError``."""
    if not app.renderers and not app.parsers:
        return app
    renderers = checked_formats(app.renderers, "PolyMicro.renderers", "render")
    return replace(
        app, renderers=renderers, parsers=checked_formats(app.parsers, "PolyMicro.parsers", "parse")
    )


def formats_of(declared: Declaration, app: AppSettings) -> dict[str, Any]:
    """What its routes answer and read besides JSON, by the names of their members. Raises ``ConfigurationError``."""
    resource, name = declared.resource, declared.name
    renderers = joined_formats(app.renderers, resource.renderers, f"{name}.renderers", "render")
    parsers = joined_formats(app.parsers, resource.parsers, f"{name}.parsers", "parse")
    return {"representations": representations_of(renderers), "body_types": body_types_of(parsers)}
