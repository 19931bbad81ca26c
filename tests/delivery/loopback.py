"""A small HTTP server on the loopback that plays what a real server does only on a bad day."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CAPABILITIES = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "Loopback", "version": "1"},
    "rest": [{"mode": "server", "interaction": [{"code": "transaction"}], "resource": []}],
}


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """`body` is sent as JSON, as bytes, or piece by piece when it is a function that yields bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Loopback:
    url: str
    requests: list[Request]


@contextmanager
def serving(answer: Callable[[Request], Reply | None], context: Any = None) -> Iterator[Loopback]:
    """Serve until the block ends; `answer` returning None means 404. `context` is an SSLContext for https."""
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: otherwise each answer waits 40 ms for an acknowledgement

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            # the capability statement is given whole, whatever part of it is asked for
            path = self.path.partition("?")[0] if "/metadata?" in self.path else self.path
            request = Request(self.command, path, headers, body)
            seen.append(request)
            reply = answer(request) or Reply(404)
            streams = callable(reply.body)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if streams:
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    for piece in reply.body():
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    return  # the client has had enough, as it should
                return
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body or {}).encode()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    scheme = "https" if context is not None else "http"
    try:
        yield Loopback(f"{scheme}://127.0.0.1:{server.server_address[1]}", seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
