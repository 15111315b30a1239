"""The project as a whole: its template is what the classes say, and the README's session works as printed."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

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
    return {**kept, "PYTHONUNBUFFERED": "1", "PICTURES_BUCKET": "pictures"}


@contextmanager
def serving():
    """``polymicro serve`` on a free port: its address."""
    command = [*POLYMICRO, "serve", "--port", "0"]
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


def test_the_readmes_session_works_as_printed():
    _, session = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with serving() as address:
        script = session.replace("http://127.0.0.1:3000", address)
        script = script.replace("../../.venv/bin/polymicro", " ".join(POLYMICRO))
        done = subprocess.run(
            ["bash", "-euc", script], cwd=ROOT, env=environment(), capture_output=True, text=True
        )
    assert (done.returncode, done.stderr) == (0, "")
    category, picture, catalogue, ann, hers, his, paid, refused, orders, shipped, hidden = (
        done.stdout.splitlines()
    )
    assert category == '{"slug":"tea","name":"Tea"}'
    assert '"key":"products/' in picture
    assert '"category":{"slug":"tea","name":"Tea"},"name":"Darjeeling","price":"19.90","stock":1' in catalogue
    assert ann == '{"id":"ann","email":"ann@example.com","name":"Ann"}'
    assert all('"name":"Darjeeling","price":"19.90","quantity":1' in cart for cart in (hers, his))
    assert paid == '{"status":"paid","total":"19.90"}'
    assert '"detail":"Sold out: Darjeeling."' in refused
    assert '"email":"ann@example.com"' in orders
    assert '"total":"19.90"' in orders
    assert '"status":"shipped"' in shipped
    assert '"status":404' in hidden
