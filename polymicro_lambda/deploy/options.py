"""The options of a deployment: all that routes and models do not say of it."""

from dataclasses import dataclass

from polymicro_lambda.dispatch import ProblemWording
from polymicro_lambda.http import CORS, HSTS
from polymicro_lambda.openapi import Documentation

from .gateway_routes import camel_case

RUNTIMES = ("python3.11", "python3.12", "python3.13")
SNAP_START_RUNTIMES = RUNTIMES[1:]
"""AWS Lambda Developer Guide, "Improving startup performance with SnapStart"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What routes and models do not say of a deployment."""

    handler: str
    """The function's, e.g. ``handlers.todo.handler``."""
    authorizer_handler: str | None = None
    """The Lambda authorizer's."""
    api: str = "rest"
    """``rest`` or ``http``."""
    authorizer: str = "lambda"
    """A key of ``authorizers.AUTHORIZERS`` for this API."""
    jwks: bool = False
    """The Lambda authorizer takes an identity provider's tokens, by its public keys."""
    arch: str = "arm64"
    runtime: str = RUNTIMES[-1]
    """Lambda's, unless the stage's parameter says another."""
    memory: int = 512
    """MB."""
    timeout: int = 29
    """Seconds; API Gateway waits for 29 (its quotas, "Integration timeout")."""
    snap_start: bool = False
    validate: bool = True
    """API Gateway checks request bodies, where it is a REST API."""
    build_method: str | None = None
    """SAM's, e.g. ``makefile``."""
    cors: CORS | None = None
    hsts: HSTS | None = None
    documentation: Documentation | None = None
    """The documentation that the app serves."""
    title: str | None = None
    """What the documentation is called, where the app leaves it to the environment."""
    problem: ProblemWording | None = None
    """What words the app's errors."""
    table_prefix: str | None = None
    """The app's own, None where the environment says it."""
    named: tuple[str, ...] = ()
    """Variables of Powertools that name what the app has left unnamed: they get the stack's name."""

    @property
    def names_no_authorizer(self) -> bool:
        """Whether the authorizer is to be a Lambda function that nothing names."""
        return self.authorizer == "lambda" and self.authorizer_handler is None

    @property
    def name(self) -> str:
        """The function's name in the template: that of its module, in camel case."""
        return camel_case(self.handler.split(".")[-2] if "." in self.handler else self.handler)
