"""What leaves the server and comes back is sealed: nobody can read it or change it on the way (decision 10)."""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xrm.errors import Problem, Unavailable


class Seal:
    """AES-256-GCM (NIST SP 800-38D), bound to a purpose: a thing sealed for one list does not open for another."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: object, purpose: str) -> str:
        nonce = secrets.token_bytes(12)
        made = self._cipher.encrypt(nonce, msgspec.msgpack.encode(value), purpose.encode())
        return urlsafe_b64encode(nonce + made).decode().rstrip("=")

    def open(self, text: str, purpose: str) -> object:
        """The value, or None if it was not sealed here for this purpose."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            return msgspec.msgpack.decode(self._cipher.decrypt(raw[:12], raw[12:], purpose.encode()))
        except (InvalidTag, ValueError, msgspec.DecodeError):
            return None


def secret(file: Path | None) -> bytes:
    """The key of 32 bytes in a file that only its owner may read; made at the first use.

    Raises:
        Unavailable: no file is named (PostgreSQL), or it cannot be used (XRM801).
    """
    if file is None:
        raise _wrong("XRM_SECRET_FILE is not set", "with PostgreSQL, name a file that all processes share")
    if not file.exists():
        _make(file)
    return _existing(file)


def _make(file: Path) -> None:
    """Written whole beside its place and then linked there, so that two processes starting at once agree on one."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(secrets.token_bytes(32))
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    except OSError as error:
        raise _wrong(f"the secret file {file} cannot be made: {error.strerror}", "is its folder writable?") from error


def _existing(file: Path) -> bytes:
    if file.stat().st_mode & 0o077:
        raise _wrong(f"the secret file {file} is open to others", f"chmod 600 {file}")
    key = file.read_bytes()
    if len(key) != 32:
        raise _wrong(f"the secret file {file} has {len(key)} bytes, not 32", "remove it to have a new one made")
    return key


def _wrong(message: str, hint: str) -> Unavailable:
    return Unavailable(Problem("XRM801", message, hint=hint))
