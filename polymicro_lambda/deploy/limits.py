"""What CloudFormation takes of a template; one that is larger is refused before it is written."""

import json
from collections.abc import Mapping
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

MOST: Mapping[str, int] = {"Resources": 500, "Outputs": 200, "Parameters": 200}
"""Members of a section (CloudFormation quotas)."""
BYTES = 1_000_000
"""Of a template in S3 (the same: 1 MB, and it does not say which)."""
OF_AN_EVENT = 1
"""Resources that SAM makes of an event of a function: its permission."""
OF_A_FUNCTION = 3
"""Besides the function: its role, a version and an alias."""
OF_AN_API = 3
"""Besides the API: a deployment, a stage, permissions of its authorizers."""


def figures(made: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """What is limited -> the figure of a template as SAM translates it, at the most, and the limit."""
    kinds = [one.get("Type", "") for one in made.get("Resources", {}).values()]
    functions = [
        one for one in made.get("Resources", {}).values() if one.get("Type", "").endswith("::Function")
    ]
    events = sum(len(one["Properties"].get("Events", ())) for one in functions)
    apis = sum(kind in ("AWS::Serverless::Api", "AWS::Serverless::HttpApi") for kind in kinds)
    more = events * OF_AN_EVENT + len(functions) * OF_A_FUNCTION + apis * OF_AN_API
    counts = {section: (len(made.get(section, {})), most) for section, most in MOST.items()}
    counts["Resources"] = (counts["Resources"][0] + more, MOST["Resources"])
    return counts | {"Bytes": (len(json.dumps(made).encode()), BYTES)}


def check_limits(made: Mapping[str, Any]) -> None:
    """Raise ``ConfigurationError`` for a template that CloudFormation would refuse."""
    for what, (figure, most) in figures(made).items():
        if figure > most:
            raise ConfigurationError(
                f"the template has {figure:,} {what.lower()}, and CloudFormation takes {most:,}: split the app into"
                " several stacks, or put several models into one table"
            )
