"""Who may ask: only the page that this program gave out, on this machine, in the browser that was shown the token.

Everything here refuses; nothing here reads a file or changes one. Each refusal is one line on standard error.
"""

from __future__ import annotations

import hmac
import secrets
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from shanben.terminal import one_line

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST = 1_000_000
"""Bytes that a request may carry: many times the longest decision."""
LONGEST_PATH = 100
METHODS = {"GET": "read", "HEAD": "read", "POST": "write"}
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""What every answer says, refusals too. The policy of a page stands beside these."""
NOTHING = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class RefusedError(Exception):
    """A request that is not answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def new_token() -> str:
    """Give a token of 256 random bits."""
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class Guard:
    """Stands before an application: lets through what may ask, refuses the rest and says so."""

    app: App
    port: int
    token: str
    most: int = MOST
    log: Callable[[str], None] = field(default=lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201

    @property
    def cookie(self) -> str:
        """Give the name of the cookie; browsers do not tell ports apart, so the port is in the name."""
        return f"shanben-review-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"there is no {scope['type']} here")
        started = refused = False

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] in (404, 405) and not refused:
                    self._tell(scope, message["status"], "there is no such address, or it is not asked so")
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                if b"content-security-policy" not in names:
                    given.append((b"content-security-policy", NOTHING))
                message = {**message, "headers": [*given, *HEADERS]}
            await send(message)

        try:
            headers = _headers(scope)
            self._check(scope, headers)
            if self._comes_with_token(scope):
                await self._welcome(scope, answer)
                return
            self._check_cookie(headers)
            await self.app(scope, self._limited(receive, headers), answer)
        except RefusedError as refusal:
            refused = True
            self._tell(scope, refusal.status, refusal.reason)
            if not started:
                await _refuse(answer, refusal)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one line here and no more
            self._tell(scope, 500, f"a fault of the program ({type(error).__name__}: {one_line(str(error))[:200]})")
            refused = True
            if not started:
                await _refuse(answer, RefusedError(500, "a fault of the program; the terminal says more"))

    def _tell(self, scope: Scope, status: int, reason: str) -> None:
        """Say on one line what was refused, and why."""
        client = (scope.get("client") or ("?",))[0]
        path, method = one_line(scope.get("path", ""))[:120], one_line(scope["method"])[:10]
        self.log(f"refused {status} {method} {path} from {client}: {reason}")

    def _check(self, scope: Scope, headers: dict[str, list[str]]) -> None:
        """Refuse what no page of ours would send."""
        host = headers.get("host", [])
        if len(host) != 1 or host[0] not in self._hosts():
            raise RefusedError(421, f"the host {_said(host)} is not this server")
        method = scope["method"]
        if method not in METHODS:
            raise RefusedError(405, f"the method {one_line(method)[:20]} is not known here")
        fetch_site = headers.get("sec-fetch-site", [])
        if fetch_site and fetch_site not in (["same-origin"], ["none"]):
            raise RefusedError(403, f"it was asked for by another site ({_said(fetch_site)})")
        origin = headers.get("origin", [])
        if origin and origin != [f"http://{host[0]}"]:
            raise RefusedError(403, f"the origin {_said(origin)} is not this page")
        path = scope.get("path", "")
        raw = scope.get("raw_path") or path.encode("utf-8", "replace")
        if (
            len(path) > LONGEST_PATH
            or ".." in path
            or b"%" in raw.split(b"?")[0]
            or "\\" in path
            or "//" in path
            or "\0" in path
        ):
            raise RefusedError(404, "there is no such address")
        if METHODS[method] == "write":
            if not origin and fetch_site != ["same-origin"]:
                raise RefusedError(403, "a request that writes must name its origin")
            kind = headers.get("content-type", [""])[0].split(";")[0].strip().lower()
            if kind != "application/json":
                raise RefusedError(415, f"a request that writes is JSON, not {one_line(kind)[:60] or 'nothing'}")
        self._check_length(headers, METHODS[method] == "write")

    def _hosts(self) -> tuple[str, str]:
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    def _check_length(self, headers: dict[str, list[str]], writes: bool) -> None:
        length = headers.get("content-length", [])
        if len(length) > 1 or (length and not (length[0].isascii() and length[0].isdigit())):
            raise RefusedError(400, "its length is no number")
        most = self.most if writes else 0
        if length and (len(length[0]) > 15 or int(length[0]) > most):
            raise RefusedError(413, f"it would carry {length[0][:20]} bytes, {most} are allowed")

    def _comes_with_token(self, scope: Scope) -> bool:
        if scope["path"] != "/" or not scope.get("query_string"):
            return False
        given = scope["query_string"].decode("latin-1").removeprefix("token=")
        if not hmac.compare_digest(given.encode("latin-1"), self.token.encode()):
            raise RefusedError(403, "the token is wrong")
        return True

    async def _welcome(self, scope: Scope, send: Send) -> None:
        """Put the token into a cookie and lead to the page without it, so that it stays out of the history."""
        if scope["method"] == "POST":
            raise RefusedError(405, "the token comes with GET")
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _check_cookie(self, headers: dict[str, list[str]]) -> None:
        pairs = (pair.strip().partition("=") for line in headers.get("cookie", []) for pair in line.split(";"))
        given = [value.encode("utf-8", "replace") for name, _, value in pairs if name == self.cookie]
        if not any(hmac.compare_digest(value, self.token.encode()) for value in given):
            raise RefusedError(403, "it has no token; open the address that `shanben review` printed")

    def _limited(self, receive: Receive, headers: dict[str, list[str]]) -> Receive:
        """Count what arrives, whatever was announced; over the limit nothing more is read."""
        most = self.most
        seen = 0

        async def limited() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise RefusedError(413, f"it carries more than the {most} bytes that are allowed")
            return message

        return limited


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _said(values: list[str]) -> str:
    return one_line(", ".join(values))[:80] or "(none)"


async def _refuse(send: Send, refusal: RefusedError) -> None:
    """Say no, and hang up: what else was sent is not read."""
    body = f"{refusal.status}: {refusal.reason}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
