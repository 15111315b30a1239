"""The server process of `polymicro serve`: loads the app, makes its tables and answers until its lifeline closes.

It inherits two file descriptors: the listening socket, and the reading end of a pipe, the lifeline, which closes
when the supervisor wants it to end or is itself gone.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from string import punctuation
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from rich.console import Console
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli.user_option import parse_user
from polymicro_lambda.local import Wsgi
from polymicro_lambda.project import (
    Project,
    UsageError,
    compiled_handler,
    create_tables,
    find_project,
    import_from,
    load_app,
    load_authorizer,
    make_logs_readable,
)

from .settings import ServeSettings
from .start_message import announce

POLL = 0.05
"""Seconds between two looks of the server at whether it is to stop."""

GRACE = 1.0
"""Seconds that open requests get for their answers when the server stops."""


def main(settings: ServeSettings, console: Console) -> int:
    """Serve until the lifeline closes; 1 at once if the app does not load the first time.

    After a reload an app that does not load is served as its error, until its code changes again.
    """
    import_from(Project(Path(settings.root)))
    try:
        app, application = load(settings)
    except UsageError as error:
        Console(stderr=True).print(f"\n{error}", style="red", markup=False, highlight=False, soft_wrap=True)
        if not settings.reloaded:
            return 1
        application = Unloadable(str(error))
    else:
        announce(console, settings, app.routes)
    server = make_server(
        settings.host,
        settings.port,
        application,
        threaded=True,
        request_handler=RequestHandler,
        fd=settings.listener,
    )
    threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
    os.read(settings.lifeline, 1)
    stop(server)
    return 0


def load(settings: ServeSettings) -> tuple[PolyMicro, WSGIApplication]:
    """The app, its tables made, and the application that serves it. Raises ``UsageError``."""
    app = load_app(replace(find_project(Path(settings.root)), app=settings.app))
    handler = compiled_handler(app, served=True)
    make_logs_readable()
    create_tables(app.routes, settings.engine)
    user = parse_user(settings.user) if settings.user else None
    authorizer = load_authorizer(settings.authorizer) if settings.authorizer and not user else None
    told: Any = {"authorization": app.authorization, **app.refusals}
    return app, Wsgi(handler, source=settings.source, authorizer=authorizer, user=user, **told)


def stop(server: BaseWSGIServer) -> None:
    """Take no more requests, and let the open ones end."""
    server.shutdown()
    deadline = time.monotonic() + GRACE
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))


class RequestHandler(WSGIRequestHandler):
    """Writes a line for each request to standard error: the request's first line and the status."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write the line; characters that a terminal would obey are escaped."""
        sys.stderr.write(f"{quote(self.requestline, safe=f'{punctuation} ')} {int(code)}\n")


@dataclass(frozen=True, slots=True)
class Unloadable:
    """Answers every request with the reason why the app did not load."""

    reason: str

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """500, as text."""
        body = f"{self.reason}\n\nMend the code: it is loaded again when it changes.\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response("500 Internal Server Error", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


if __name__ == "__main__":
    sys.exit(main(ServeSettings(**json.loads(sys.argv[1])), Console()))
