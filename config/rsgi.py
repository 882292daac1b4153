"""The entry point of the web server: bodies are received before a thread is taken.

Under WSGI a request holds a thread from its first header to its last byte, and few
clients that drip hold all of them. Here an event loop receives bodies, at no cost but
memory, each within a time that grows with what has arrived; then one of a few threads
answers with the application of ``config.wsgi``. Files (multipart forms) are not
received in advance: they are read by the thread that has looked at the key, in blocks
that have to come in time, too.
"""

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

from config.wsgi import application

MULTIPART = "multipart/form-data"
#: A body has so many seconds, and one more for each so many bytes that have arrived.
GRACE_SECONDS = 10.0
BYTES_PER_SECOND = 20_000
#: A block of a file has so long, and so has a client to take a block of an answer.
BLOCK_SECONDS = 20.0
#: What the bodies of one process may take in memory together.
BODIES_BYTES_MAX = 256 * 1024 * 1024
_HEADERS_OF_CGI = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_LATE = b'{"type":"urn:loyalty:problem:body_too_slow","title":"Body too slow",\
"status":408,"detail":"The body did not arrive in time.","code":"body_too_slow"}'
_FULL = b'{"type":"urn:loyalty:problem:unavailable","title":"Unavailable",\
"status":503,"detail":"The site is too busy. Send the same request again.",\
"code":"unavailable"}'
_PROBLEM = ("content-type", "application/problem+json")

Headers = list[tuple[str, str]]


class _TooSlow(Exception):
    """A body, or a block of it, did not arrive in time."""


class _TooMuch(Exception):
    """The bodies under way take all the memory that they may."""


class Server:
    """The application as granian calls it (interface ``rsgi``)."""

    def __init__(self, call: Callable[..., Iterable[bytes]], threads: int) -> None:
        """Answer with ``call``, a WSGI application, in so many threads."""
        self._call = call
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._held_bytes = 0

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            protocol.close(403)
            return
        environ = environ_of(scope)
        limit = _limit_of(environ)
        if limit is None:
            loop = asyncio.get_running_loop()
            environ["wsgi.input"] = io.BufferedReader(_Blocks(protocol, loop))
            await self._answer(environ, protocol)
            return
        held = [0]
        try:
            body = await self._receive(environ, protocol, limit, held)
        except _TooSlow:
            protocol.response_bytes(408, [_PROBLEM, ("connection", "close")], _LATE)
        except _TooMuch:
            again = [_PROBLEM, ("retry-after", "2"), ("connection", "close")]
            protocol.response_bytes(503, again, _FULL)
        else:
            environ["wsgi.input"] = io.BytesIO(body)
            del body
            await self._answer(environ, protocol)
        finally:
            self._held_bytes -= held[0]

    async def _receive(
        self, environ: dict[str, Any], protocol: Any, limit: int, held: list[int]
    ) -> bytes:
        """Return the body. One over the limit is not read on: the site says so."""
        announced = environ.get("CONTENT_LENGTH", "")
        if announced == "0" or not (announced or _is_chunked(environ)):
            return b""
        if announced.isdigit() and int(announced) > limit:
            return b""
        parts: list[bytes] = []
        size = 0
        began = asyncio.get_running_loop().time()
        blocks = aiter(protocol)
        while True:
            left = began + GRACE_SECONDS + size / BYTES_PER_SECOND
            left -= asyncio.get_running_loop().time()
            block = await _within(_next(blocks), left)
            if not block:
                break
            size += len(block)
            held[0] += len(block)
            self._held_bytes += len(block)
            if self._held_bytes > BODIES_BYTES_MAX:
                raise _TooMuch
            parts.append(bytes(block))
            if size > limit:
                parts.clear()
                break
        # However it was sent, from here on its length is known.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(size)
        return b"".join(parts)

    async def _answer(self, environ: dict[str, Any], protocol: Any) -> None:
        loop = asyncio.get_running_loop()
        status, headers, body = await loop.run_in_executor(
            self._pool, self._called, environ, protocol, loop
        )
        if body is not None:
            protocol.response_bytes(status, headers, body)

    def _called(
        self, environ: dict[str, Any], protocol: Any, loop: asyncio.AbstractEventLoop
    ) -> tuple[int, Headers, bytes | None]:
        """Return the answer; None for its body if it was sent piece by piece."""
        status, headers = 500, []

        def start(line: str, fields: Headers, *_: Any) -> None:
            nonlocal status, headers
            status = int(line.split(" ", 1)[0])
            headers = [(name.lower(), value) for name, value in fields]

        answer = self._call(environ, start)
        if isinstance(answer, list):
            return status, headers, b"".join(answer)
        try:
            self._stream(answer, protocol, loop, (status, headers))
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return status, headers, None

    def _stream(
        self,
        answer: Iterable[bytes],
        protocol: Any,
        loop: asyncio.AbstractEventLoop,
        head: tuple[int, Headers],
    ) -> None:
        """Send pieces as they are made; all of them in the thread that makes them."""

        async def begin() -> Any:
            return protocol.response_stream(*head)

        transport = asyncio.run_coroutine_threadsafe(begin(), loop).result()
        for piece in answer:
            if piece:
                sending = _sent(transport, piece)
                asyncio.run_coroutine_threadsafe(sending, loop).result(BLOCK_SECONDS)


class _Blocks(io.RawIOBase):
    """The body of a request, read by a thread while the loop receives it."""

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._blocks: Any = None
        self._protocol = protocol
        self._loop = loop
        self._rest = memoryview(b"")
        self._began = time.monotonic()
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            left = self._began + GRACE_SECONDS + self._size / BYTES_PER_SECOND
            left = min(left - time.monotonic(), BLOCK_SECONDS)
            receiving = asyncio.run_coroutine_threadsafe(self._receive(), self._loop)
            try:
                self._rest = memoryview(receiving.result(max(left, 0.001)))
                self._size += len(self._rest)
            except TimeoutError:
                receiving.cancel()
                # Whoever reads forms says then that the form is cut off.
                return 0
        count = min(len(self._rest), len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    async def _receive(self) -> bytes:
        if self._blocks is None:
            self._blocks = aiter(self._protocol)
        return bytes(await _next(self._blocks))


async def _next(blocks: Any) -> bytes:
    """Return the next block; none at the end, or when the client has gone."""
    try:
        return bytes(await anext(blocks))
    except StopAsyncIteration:
        return b""


async def _sent(transport: Any, piece: bytes) -> None:
    await transport.send_bytes(bytes(piece))


async def _within(receiving: Any, seconds: float) -> bytes:
    try:
        block: bytes = await asyncio.wait_for(receiving, max(seconds, 0.001))
    except TimeoutError:
        raise _TooSlow from None
    return block


def _is_chunked(environ: dict[str, Any]) -> bool:
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def _limit_of(environ: dict[str, Any]) -> int | None:
    """Return how large a body may be; None for a form with a large file."""
    from loyalty.api.edge import PREFIX, body_limit

    limit = body_limit(environ["PATH_INFO"])
    if not str(environ.get("CONTENT_TYPE", "")).lower().startswith(MULTIPART):
        return limit
    length = environ.get("CONTENT_LENGTH", "")
    is_large = not length.isdigit() or int(length) > limit
    is_for_keys = environ["PATH_INFO"].startswith(PREFIX)
    is_for_staff = environ["PATH_INFO"].startswith("/admin/")
    return None if is_for_keys or (is_for_staff and is_large) else limit


def environ_of(scope: Any) -> dict[str, Any]:
    """Return what WSGI tells of a request, without its body."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # Text of WSGI holds bytes.
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": port or "0",
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.input": io.BytesIO(),
    }
    for name, value in scope.headers.items():
        if "_" in name:
            # It would pass for a header of another name.
            continue
        key = _HEADERS_OF_CGI.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        joint = "; " if name == "cookie" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    if "HTTP_HOST" not in environ and scope.authority:
        environ["HTTP_HOST"] = scope.authority
    return environ


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Server(application, settings.WEB_THREADS)
