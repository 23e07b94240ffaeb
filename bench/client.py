"""A light HTTP/1.1 client: requests made beforehand, sent over a few connections that stay open, bounded in count and time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

CONNECTIONS = 8
QUIET = 0.02
"""Seconds between the opening of the connections and the first request."""
SECONDS = 60
"""The longest one load may take."""
Meter = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, or an empty text."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode()
        return ""


class WrongAnswer(Exception):
    """A server answered something else than what is measured."""


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """The bytes of a request; a body is JSON."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is whole."""

    def __init__(self, waiting: Iterator[tuple[int, bytes]], answers: list[Answer | None]) -> None:
        self._waiting, self._answers = waiting, answers
        self._buffer = b""
        self._needs: int | None = None
        self._number = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self) -> None:
        """Send a request; and another as long as there are any."""
        following = next(self._waiting, None)
        if following is None:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._number, text = following
        self._transport.write(text)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._needs is None:
            self._needs = _length(self._buffer)
        if self._needs is not None and len(self._buffer) >= self._needs:
            self._answers[self._number] = _answer(self._buffer)
            self._buffer, self._needs = b"", None
            self.begin()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(WrongAnswer(f"the server closed the connection: {error}"))


def _length(buffer: bytes) -> int | None:
    """How long the whole answer is; None while its head is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    at = buffer.lower().find(b"content-length:", 0, end)
    if at < 0:
        return end + 4
    return end + 4 + int(buffer[at + 15 : buffer.find(b"\r\n", at)])


def _answer(buffer: bytes) -> Answer:
    head, _, body = buffer.partition(b"\r\n\r\n")
    return Answer(int(head[9:12]), head, body)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The answers in the order of the requests, the seconds they took, and what each meter counted meanwhile."""

    answers: list[Answer]
    seconds: float
    metered: tuple[int, ...]


async def _load(port: int, requests: Sequence[bytes], meters: Sequence[Meter], settle: float) -> Loaded:
    """The connections are open before anything is counted."""
    loop = asyncio.get_running_loop()
    answers: list[Answer | None] = [None] * len(requests)
    waiting = iter(enumerate(requests))
    made = [(await loop.create_connection(lambda: _Connection(waiting, answers), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    await asyncio.sleep(QUIET)
    before = [meter() for meter in meters]
    start = time.perf_counter()
    for protocol in made:
        protocol.begin()
    await asyncio.wait_for(asyncio.gather(*(protocol.done for protocol in made)), SECONDS)
    seconds = time.perf_counter() - start
    await asyncio.sleep(settle)
    metered = tuple(meter() - count for meter, count in zip(meters, before, strict=True))
    return Loaded([answer for answer in answers if answer is not None], seconds, metered)


def load(port: int, requests: Sequence[bytes], status: int, meters: Sequence[Meter] = (), settle: float = 0) -> Loaded:
    """Send all requests; ``settle``: seconds to wait before the meters are read again.

    Raises:
        WrongAnswer: an answer has another status, or the server hung up.
    """
    done = asyncio.run(_load(port, requests, meters, settle))
    for text, answer in zip(requests, done.answers, strict=True):
        if answer.status != status:
            raise WrongAnswer(f"{text[:200]!r} was answered {answer.status}: {answer.body[:300]!r}")
    return done
