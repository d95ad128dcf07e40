"""Real HTTP servers for tests: each path is answered by a function given to it; waitress until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import waitress

Answerer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answerer: Answerer, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve GET and POST with `answerer` until the end of the block; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                answerer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Answer with a body; underscores in the names of headers become hyphens."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def waiting(app: Any, *, threads: int = 4, channel: type | None = None) -> Iterator[str]:
    """Serve a WSGI app as `netzlage serve` does, until the end of the block; gives the base URL.

    channel: how it speaks on a connection, waitress' own where left out.
    """
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=threads)
    if channel is not None:
        server.channel_class = channel
    thread = threading.Thread(target=_until_closed, args=(server,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()  # first, or a thread that has just answered finds the server gone
        server.close()
        thread.join(5)


def _until_closed(server: Any) -> None:
    """Run waitress until it is closed from another thread: that pulls the sockets from under its select."""
    with suppress(OSError, ValueError):
        server.run()
