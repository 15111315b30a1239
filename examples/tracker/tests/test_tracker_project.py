"""The project as a whole: its template is what the classes say, and the README's session works as printed."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 120
"""Seconds that a session gets, on a machine that has much else to do."""
POLYMICRO = [sys.executable, "-m", "polymicro_lambda.cli"]


def environment():
    """That of the test, without what fixtures and machines say of AWS."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "POLYMICRO_", "JWT_"))
    }
    return {**kept, "PYTHONUNBUFFERED": "1"}


@contextmanager
def serving(app):
    """``polymicro serve`` on a free port: its address."""
    command = [*POLYMICRO, "serve", "--port", "0", "--app", app]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        patience = Timer(PATIENCE, server.kill)
        patience.start()
        try:
            yield next(found[1] for line in server.stdout if (found := re.match(r"Serving on (\S+)", line)))
        finally:
            patience.cancel()
            server.terminate()
            server.communicate()


def test_the_template_is_what_the_classes_say():
    done = subprocess.run(
        [*POLYMICRO, "template", "--check"], cwd=ROOT, env=environment(), capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()


def test_the_readmes_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.thorough(but=("tracker.app:pm",))
@pytest.mark.parametrize("app", ["tracker.app:pm", "tracker.single:pm"])
def test_the_readmes_session_works_as_printed(app):
    _, session = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with serving(app) as address:
        script = session.replace("http://127.0.0.1:3000", address)
        script = script.replace("../../.venv/bin/polymicro", " ".join(POLYMICRO))
        done = subprocess.run(
            ["bash", "-euc", script], cwd=ROOT, env=environment(), capture_output=True, text=True
        )
    assert (done.returncode, done.stderr) == (0, "")
    invited, accepted, assigned, mine, comment, closed, count, refused = done.stdout.splitlines()
    assert '"invited_by":"ann"' in invited
    assert '"role":"member"' in accepted
    assert '"assignee":"max"' in assigned
    assert '"title":"Land"' in mine
    assert '"text":"Softly"' in comment
    assert '"status":"closed"' in closed
    assert count == '{"open":0,"closed":1}'
    assert '"status":403' in refused
