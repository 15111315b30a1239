"""The files of the documentation page: Swagger UI's from its package, and the two of our own."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

from polymicro_lambda.exceptions import ConfigurationError

PACKAGE, FOLDER = "flask_swagger_ui", "dist"
"""The package with the released Swagger UI; its code for Flask is not imported."""
REQUIRED_PACKAGES = ("apispec", PACKAGE)
"""The packages of the extra ``docs``."""

SCRIPT = """\
"use strict";
window.ui = SwaggerUIBundle({
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
PAGE_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{at}swagger-ui.css?v={tag}">
</head>
<body>
<div id="docs"></div>
<script src="{at}swagger-ui-bundle.js?v={tag}"></script>
<script src="{at}docs.js?v={tag}"></script>
</body>
</html>
"""
NAMES: Mapping[str, str] = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
}
"""File -> its content type."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to serve; ``tag`` is its entity tag."""

    content: bytes
    media: str
    tag: str

    @classmethod
    def of(cls, content: bytes, media: str) -> "File":
        """A file of this content."""
        return cls(content, media, f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"')


def check() -> None:
    """Raise ``ConfigurationError`` where a package of documentation is missing."""
    missing = [name for name in REQUIRED_PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"PolyMicro.docs needs {' and '.join(missing)}: install polymicro-lambda[docs], or let"
            " `polymicro build` make the artifact"
        )


@cache
def file(name: str) -> File:
    """The file of this name, one of ``NAMES``."""
    content = SCRIPT.encode() if name == "docs.js" else (_folder() / name).read_bytes()
    return File.of(content, NAMES[name])


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places or ()))) / FOLDER


TITLE = "API"
"""That of an API which has none."""


@cache
def page(title: str | None, at: str) -> File:
    """The page itself; ``at`` stands before the names of its files."""
    tag = hashlib.blake2b("".join(file(name).tag for name in NAMES).encode(), digest_size=6).hexdigest()
    return File.of(
        PAGE_TEMPLATE.format(title=escape(title or TITLE), at=at, tag=tag).encode(),
        "text/html; charset=utf-8",
    )
