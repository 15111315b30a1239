"""The project as a whole: its template is what the classes say, and the README's session works as printed."""

import json
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
    foreign = ("AWS_", "POLYMICRO_", "JWT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def run(command):
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


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
    run([*POLYMICRO, "template", "--check"])


def test_the_readmes_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert [one for one in targets if not one.startswith("https:") and not (ROOT / one).exists()] == []


def test_the_readmes_session_works_as_printed():
    _, session = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with serving() as address:
        said = run(["bash", "-euc", session.replace("http://127.0.0.1:3000", address)])
    followed, liked, comment, feed, changed, tagged, refused = map(json.loads, said.splitlines())
    profile, liked, comment = followed["profile"], liked["article"], comment["comment"]
    assert (profile["username"], profile["following"]) == ("ann", True)
    assert (liked["title"], liked["favorited"], liked["favoritesCount"]) == ("How to fly", True, 1)
    assert (comment["body"], comment["author"]["username"]) == ("Softly?", "max")
    assert [one["slug"] for one in feed["articles"]] == [liked["slug"]]
    assert changed["article"]["slug"] == liked["slug"].replace("fly", "land")
    assert [one["slug"] for one in tagged["articles"]] == [changed["article"]["slug"]]
    assert [*refused] == ["errors"]
