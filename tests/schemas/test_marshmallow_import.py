"""Marshmallow's patterns wait for their first use, and are patterns all the same."""

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from polymicro_lambda.marshmallow_import import DeferredPattern, deferred_patterns


def pattern() -> Any:
    with deferred_patterns():
        return re.compile("(?P<letter>a)+", flags=re.IGNORECASE)


@pytest.mark.parametrize(
    ("use", "result"),
    [
        pytest.param(lambda p: isinstance(p, re.Pattern), True, id="isinstance"),
        pytest.param(lambda p: p.fullmatch("aA")["letter"], "A", id="method"),
        pytest.param(lambda p: re.sub(p, "-", "xaay"), "x-y", id="function"),
        pytest.param(lambda p: re.compile(p).groupindex["letter"], 1, id="compiled again"),
        pytest.param(lambda p: copy.deepcopy(p).flags & re.IGNORECASE, re.IGNORECASE, id="deepcopy"),
        pytest.param(lambda p: copy.copy(p).pattern, "(?P<letter>a)+", id="copy"),
        pytest.param(lambda p: type(pickle.loads(pickle.dumps(p))), re.Pattern, id="pickle"),
    ],
)
def test_a_deferred_pattern_is_one(use: Callable[[Any], Any], result: Any) -> None:
    assert type(pattern()) is DeferredPattern
    assert use(pattern()) == result


def test_nothing_is_left_behind() -> None:
    assert re.compile is not DeferredPattern
    assert type(re.compile("a")) is re.Pattern
    with pytest.raises(ZeroDivisionError), deferred_patterns():
        raise ZeroDivisionError
    assert type(re.compile("b")) is re.Pattern


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        pytest.param("polymicro_lambda", "DeferredPattern", id="imported by this package"),
        pytest.param("marshmallow", "Pattern", id="imported before"),
    ],
)
def test_which_patterns_wait(first: str, kind: str) -> None:
    script = f"""
import {first}
import polymicro_lambda, marshmallow.validate as validate
domain = validate.Email.DOMAIN_REGEX
print(type(domain).__name__, validate.Email()("me@example.com"), domain.flags & 2)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [kind, "me@example.com", "2"]
