"""The session that `polymicro serve` prints, pasted into a shell as it stands: each request of it succeeds."""

import json
import subprocess
from pathlib import Path

import pytest
from serving import ROOT, serving

HEAD = """
from uuid import uuid4
from pynamodb.attributes import *
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from polymicro_lambda import *

class Thing(Model):
    class Meta:
        table_name = "things"
    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, default=lambda: str(uuid4()))
    text = UnicodeAttribute()
    count = NumberAttribute(default=0)

class Named(Model):
    class Meta:
        table_name = "named"
    name = UnicodeAttribute(hash_key=True)
    size = NumberAttribute()
    done = BooleanAttribute(default=False)

class Counted(Model):
    class Meta:
        table_name = "counted"
    number = NumberAttribute(hash_key=True)
    at = UTCDateTimeAttribute(range_key=True)
    tags = UnicodeSetAttribute(null=True)

ALL = (Create, List, Retrieve, Update, Delete)
pm = PolyMicro({settings})
"""
WALK = "class A(ModelResource, *ALL): "
OWN = "model, route, permissions = Thing, 'things', OwnedBy('owner')"
NAMED = "model, route, permissions, scan = Named, 'named', {}, True"
MADE = {
    "owned": ("", f"class A(ModelResource, *ALL): {OWN}"),
    "groups": ("", "class A(ModelResource, *ALL): " + NAMED.format("InGroup('staff')")),
    "permissions": ("", "class A(ModelResource, *ALL): " + NAMED.format("HasPermission('a') & HasPermission('b')")),
    "claims": ("", f"{WALK}model, route, permissions = Thing, 'a', OwnedBy('owner', claim='team')"),
    "for everybody": ("", "class A(ModelResource, *ALL): " + NAMED.format("AllowAny")),
    "numbers and times": ("", f"{WALK}model, route, permissions, scan = Counted, 'c', AllowAny, True"),
    "root": ("", "class A(ModelResource, *ALL): model, route, permissions, scan = Named, '', AllowAny, True"),
    "the second resource": (
        "",
        "class A(ModelResource, *ALL): model, route, permissions = Thing, 'named/{owner}/things', IsAuthenticated\n"
        "A(pm)\nclass A(ModelResource, *ALL): " + NAMED.format("IsAuthenticated"),
    ),
    "demands": (
        "idempotency=Idempotency()",
        f"{WALK}{OWN}; idempotent = ('create',); require_if_match = require_idempotency_key = True",
    ),
    "a needed filter": (
        "",
        "class A(ModelResource, *ALL): model, route, permissions, filters = Thing, 'a', AllowAny, {'owner': ('eq',)}",
    ),
    "create alone": ("", "class A(ModelResource, Create): " + NAMED.format("AllowAny")),
    "list alone": ("", f"class A(ModelResource, List): {OWN}"),
    "put and patch": ("", "class A(ModelResource, Create, Retrieve, Update): " + NAMED.format("AllowAny") ),
    "no model": (
        "",
        "class A(Resource):\n    route = 'health'\n    permissions = AllowAny\n"
        "    @action(methods=('GET',))\n    def ok(self): return {'ok': True}",
    ),
    "wrapped": ("", f"class A(ModelResource, *ALL): {OWN}; wrap = 'thing'"),
}  # fmt: skip
EXAMPLES = ("tracker", "shop", "conduit")


def pasted(folder: Path, *arguments: str) -> list[str]:
    """What the session prints, line by line, in a shell of its own."""
    with serving(*arguments, cwd=folder, PYTHONPATH=f"{ROOT}:{folder}") as serve:
        serve.said("Ctrl-C stops")
        _, _, rest = serve.output.partition("Paste this into another terminal:")
        session = rest.partition("Ctrl-C stops")[0].strip()
        assert session, serve.output
        script = f"set -e\n{session}\n"
        done = subprocess.run(
            ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
        )
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if line]


def assert_all_succeed(answers: list[str]) -> None:
    assert answers
    for line in answers:
        assert "status" not in json.loads(line), answers


@pytest.mark.thorough(but=("owned",))
@pytest.mark.parametrize(("settings", "source"), MADE.values(), ids=MADE)
def test_of_a_made_app(tmp_path: Path, settings: str, source: str) -> None:
    (tmp_path / "made.py").write_text(
        f"{HEAD.replace('{settings}', settings)}{source}\nA(pm)\npm.compile()\n"
    )
    (tmp_path / "gate.py").write_text((ROOT / "handlers" / "authorizer.py").read_text())
    (tmp_path / "pyproject.toml").write_text(
        '[tool.polymicro]\napp = "made:pm"\nauthorizer = "gate:handler"\n'
    )
    assert_all_succeed(pasted(tmp_path))


@pytest.mark.thorough
@pytest.mark.parametrize("name", EXAMPLES)
def test_of_an_example(name: str) -> None:
    assert_all_succeed(pasted(ROOT / "examples" / name))


@pytest.mark.thorough
def test_of_this_repository() -> None:
    assert_all_succeed(pasted(ROOT))
