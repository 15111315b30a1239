"""OpenAPI: compiled routes come in; the document, the page that shows it, and models for API Gateway go out.

``openapi`` describes routes as an OpenAPI 3.1 document: open ``document``, then ``operations`` for one route,
``parameters`` and ``responses`` for its request and its answers, ``resource_schemas`` and ``field_schemas`` for the
JSON Schemas, ``declared_forms`` for what the app says of its own verbs, ``examples`` and ``error_examples`` for
examples. ``Documentation`` serves the document and Swagger UI as paths of
the app: open ``pages``, and ``swagger_ui`` for the page's files. ``body_model`` is the JSON schema by which a REST API
checks a body: open ``gateway_models``. ``version_3_0`` makes a document of OpenAPI 3.0 of one of 3.1.

``openapi`` imports apispec; ``body_model`` and ``as_version_3_0`` are for people at their machine. Each is imported at
its first use, so that the cold start of an app with documentation does not pay for it.
"""

from typing import TYPE_CHECKING

from .pages import DOCUMENT_PATH, PAGE_PATH, Documentation

if TYPE_CHECKING:
    from .document import openapi
    from .gateway_models import body_model
    from .version_3_0 import as_version_3_0
else:

    def __getattr__(name: str) -> object:
        """Import what is not imported with the package (PEP 562)."""
        if name == "openapi":
            from .document import openapi  # noqa: PLC0415 - deferred: apispec

            return openapi
        if name == "body_model":
            from .gateway_models import body_model  # noqa: PLC0415 - deferred: for deployment alone

            return body_model
        if name == "as_version_3_0":
            from .version_3_0 import as_version_3_0  # noqa: PLC0415 - deferred: for the command line alone

            return as_version_3_0
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DOCUMENT_PATH",
    "PAGE_PATH",
    "Documentation",
    "as_version_3_0",
    "body_model",
    "openapi",
]
