"""The review room as a small web application on this machine: a table of addresses, and nothing else can be asked for.

A work is named by its number among those that were laid open at the start; no request names a file.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from uvicorn.protocols.http.h11_impl import H11Protocol

from shanben.errors import OutputError, ShanbenError, UsageError
from shanben.report.page import as_json
from shanben.review import page as pages
from shanben.review.decisions import (
    ACTIONS,
    ConflictError,
    Decision,
    Outcome,
    decide,
    passage,
    refuse_all,
    take_out,
    undo,
)
from shanben.review.desk import OpenWork, State, Versions
from shanben.review.guard import Guard, RefusedError
from shanben.review.places import clean_span
from shanben.review.targets import targets
from shanben.review.trying import propose_keep, save_rule, try_rule
from shanben.structure import build_document, canonical_ledger
from shanben.tools.storage import write_error
from shanben.writers import all_writers

HOST = "127.0.0.1"
LONGEST_TEXT = 20_000
"""Characters that one field of a request may have."""
AROUND = 30
PATIENCE = 10.0
"""Seconds within which a connection must have sent a whole request."""
EDITION_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class _Request:
    """The values of a request, each checked for what it must be. Raises RefusedError with 400."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, dict):
            raise RefusedError(400, "its JSON is no object")
        self._values = values

    def text(self, name: str, *, most: int = LONGEST_TEXT) -> str:
        value = self._values.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise RefusedError(400, f"{name} is no text of at most {most} characters")
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise RefusedError(400, f"{name} holds half a character")
        return value

    def number(self, name: str) -> int:
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
            raise RefusedError(400, f"{name} is no whole number")
        return value

    def parts(self, name: str, *, most: int) -> list[_Request]:
        value = self._values.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            raise RefusedError(400, f"{name} is no list of at most {most}")
        return [_Request(one) for one in value]

    def versions(self) -> Versions:
        value = self._values.get("versions")
        names = ("source", "own", "rules")
        if not isinstance(value, dict) or not all(isinstance(value.get(n), str) and len(value[n]) <= 64 for n in names):
            raise RefusedError(400, "it does not say which state of the files it speaks of")
        return Versions(*(value[n] for n in names))


async def _body(request: Request) -> _Request:
    try:
        data = b"".join([chunk async for chunk in request.stream()])
    except ClientDisconnect:
        raise RefusedError(400, "it was not sent to its end") from None
    try:
        return _Request(json.loads(data))
    except (ValueError, RecursionError):
        raise RefusedError(400, "its JSON cannot be read") from None


class Room:
    """The works that lie open, and what can be asked about them."""

    def __init__(self, desks: Sequence[OpenWork]) -> None:
        self.desks = desks

    def application(self) -> Router:
        """Give the application; a `Guard` must stand before it."""
        routes = [
            Route("/", self.works, methods=["GET"]),
            Route("/text/{number:int}", self.work, methods=["GET"]),
            Route("/text/{number:int}/state", self.state, methods=["GET"]),
            Route("/text/{number:int}/versions", self.versions, methods=["GET"]),
            Route("/text/{number:int}/edition.html", self.edition_html, methods=["GET"]),
            Route("/text/{number:int}/edition.txt", self.edition_txt, methods=["GET"]),
        ]
        writing: dict[str, Callable[[OpenWork, int, _Request], dict[str, Any]]] = {
            "decide": self.decide, "undo": self.undo, "out": self.out, "look": self.look, "try": self.attempt,
            "save": self.save, "keep": self.keep,
        }  # fmt: skip
        routes += [
            Route(f"/text/{{number:int}}/{name}", self._post(act), methods=["POST"]) for name, act in writing.items()
        ]
        return Router(routes, redirect_slashes=False)

    def _desk(self, request: Request) -> tuple[OpenWork, int]:
        number = int(request.path_params["number"])
        if not 1 <= number <= len(self.desks):
            raise RefusedError(404, "there is no such work")
        return self.desks[number - 1], number

    # --- reading -------------------------------------------------------------------------------------------

    async def works(self, request: Request) -> Response:
        """Give the list of works; of a single one its page."""
        if len(self.desks) == 1:
            return RedirectResponse("/text/1", 303)
        page, policy = pages.works_page(self.desks)
        return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'"})

    async def work(self, request: Request) -> Response:
        """Give the page of a work."""
        desk, number = self._desk(request)

        def make() -> Response:
            try:
                state = desk.open()
            except ShanbenError as error:
                return Response(str(error) + "\n", 422, media_type="text/plain")
            page = pages.work_page(desk, state, number, len(self.desks))
            policy = page.split('http-equiv="Content-Security-Policy" content="', 1)[1].split('"', 1)[0]
            return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'"})

        return await run_in_threadpool(make)

    async def state(self, request: Request) -> Response:
        """Give the data of a work as its files are now."""
        desk, number = self._desk(request)

        def make() -> Response:
            try:
                return _json(pages.work_data(desk, desk.open(), number))
            except ShanbenError as error:
                return _error(error)

        return await run_in_threadpool(make)

    async def versions(self, request: Request) -> Response:
        """Give the digests of the files as they are now."""
        desk, _ = self._desk(request)

        def make() -> Response:
            try:
                return _json(asdict(desk.versions()))
            except ShanbenError as error:
                return _error(error)

        return await run_in_threadpool(make)

    async def edition_html(self, request: Request) -> Response:
        """Give the HTML edition of a work as it is decided now."""
        return await self._edition(request, "html", "text/html")

    async def edition_txt(self, request: Request) -> Response:
        """Give the TXT edition."""
        return await self._edition(request, "txt", "text/plain")

    async def _edition(self, request: Request, form: str, kind: str) -> Response:
        desk, _ = self._desk(request)

        def make() -> Response:
            try:
                state = desk.open()
                return Response(
                    edition(state, form), media_type=kind, headers={"content-security-policy": EDITION_POLICY}
                )
            except ShanbenError as error:
                return Response(str(error) + "\n", 422, media_type="text/plain")

        return await run_in_threadpool(make)

    # --- writing -------------------------------------------------------------------------------------------

    def _post(self, act: Callable[[OpenWork, int, _Request], dict[str, Any]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            desk, number = self._desk(request)
            asked = await _body(request)

            def make() -> Response:
                try:
                    return _json(act(desk, number, asked))
                except ShanbenError as error:
                    return _error(error)
                except OSError as error:
                    return _error(write_error(error, desk.path))

            return await run_in_threadpool(make)

        return answer

    def decide(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Write a decision down; or several that refuse, with one cleaning."""
        if together := [_decision(one) for one in asked.parts("together", most=100)]:
            return self._told(desk, number, refuse_all(desk, together, asked.versions()))
        return self._told(desk, number, decide(desk, _decision(asked), asked.versions()))

    def undo(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Take the last save back."""
        return {"state": pages.work_data(desk, undo(desk, asked.versions()), number)}

    def out(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Take an entry out of the work's file."""
        state = take_out(desk, asked.text("list", most=20), asked.text("digest", most=64), asked.versions())
        return {"state": pages.work_data(desk, state, number)}

    def look(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Say what stands at an entry in the clean text, and where its passage may belong."""
        state = desk.open()
        if state.versions != asked.versions():
            raise ConflictError(state.versions.differ(asked.versions()))
        return _looked(state, asked.number("entry"))

    def attempt(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Try a rule on the works that lie open."""
        states = [desk.open(), *(d.state for d in self.desks if d is not desk and d.state is not None)]
        tried = try_rule(asked.text("text", most=1 << 17), asked.text("phase", most=20), states)
        return {
            "faults": [{"line": f.place.line, "column": f.place.column, "code": f.code, "message": f.message, "fix": f.fix}
                       for f in tried.faults[:100]],
            "works": [{"work": name, "count": count, "hits": [asdict(h) for h in hits]} for name, (count, hits) in tried.hits.items()],
            "held": list(tried.held),
        }  # fmt: skip

    def save(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Save a rule."""
        done = save_rule(desk, asked.text("text", most=1 << 17), asked.text("where", most=10), asked.versions())
        return self._told(desk, number, done)

    def keep(self, desk: OpenWork, number: int, asked: _Request) -> dict[str, Any]:
        """Say how a `keep` would be added to the file of a rule."""
        told = propose_keep(desk, desk.open(), asked.text("unit", most=200), asked.text("text"))
        return asdict(told)

    def _told(self, desk: OpenWork, number: int, done: Outcome) -> dict[str, Any]:
        return {
            "written": list(done.written),
            "besides": done.besides,
            "state": pages.work_data(desk, done.state, number),
        }


def _decision(asked: _Request) -> Decision:
    action = next((a for a in ACTIONS if a == asked.text("action")), None)
    if action is None:
        raise RefusedError(400, "there is no such action")
    return Decision(
        action, asked.number("entry"), asked.text("unit", most=200), asked.number("line"), asked.number("column"),
        asked.text("reason", most=2000), asked.text("text"),
    )  # fmt: skip


def edition(state: State, form: str) -> bytes:
    """Write one edition of a work in memory. Raises as `build` does."""
    document = build_document(state.cleaned, state.plan, said=state.work.said, name=state.work.slug)
    canonical_ledger(state.cleaned, document)
    return all_writers()[form].write(document)


def _looked(state: State, number: int) -> dict[str, Any]:
    if not 0 <= number < len(state.told.entries):
        raise UsageError("there is no such change on this page", fix="load the page again")
    entry, text = state.told.entries[number], state.cleaned.text
    moves: list[dict[str, Any]] = []
    span = clean_span(state.told, number)
    if entry.kind == "suggestion" and entry.before == entry.after and entry.before.strip():
        span = passage(state, number)
        moves = [asdict(t) for t in targets(state, number)]
    elif entry.kind == "suggestion":
        start = state.cleaned.ledger.notes[entry.origin[1]].finding
        at = min(getattr(start, "start", 0), len(text))
        there = text.startswith(entry.before, at)
        span = type(span)(at, at + len(entry.before) * there) if span else None
    at, end = (span.start, span.end) if span else (0, 0)
    return {
        "text": text[at:end],
        "left": text[max(0, at - AROUND) : at].rsplit("\n", 1)[-1],
        "right": text[end : end + AROUND].split("\n", 1)[0],
        "after": entry.after if entry.kind == "suggestion" else text[at:end],
        "targets": moves,
    }


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    return Response(as_json(value).encode(), status, media_type="application/json")


def _error(error: ShanbenError) -> Response:
    """Say what went wrong. A conflict is 409, a full disk 507; all else is the request or the files: 422."""
    status = 409 if isinstance(error, ConflictError) else 507 if isinstance(error, OutputError) else 422
    changed = list(error.changed) if isinstance(error, ConflictError) else []
    return _json(
        {"error": error.what, "where": error.where, "fix": error.fix, "changed": changed, "code": error.code}, status
    )


# --- running -------------------------------------------------------------------------------------------------


def listen(port: int) -> socket.socket:
    """Open the door: a socket on 127.0.0.1, at a free port if ``port`` is 0. Raises UsageError if it is taken."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((HOST, port))
        door.listen(128)
    except OSError as error:
        door.close()
        raise UsageError(
            f"port {port} cannot be used ({error.strerror})", fix="choose another --port, or none"
        ) from None
    return door


class _Impatient(H11Protocol):
    """Hangs up on who opens a connection and says nothing, or does not come to the end of a request."""

    def connection_made(self, transport: Any) -> None:
        """Take a connection, for a while."""
        super().connection_made(transport)
        self.loop.call_later(PATIENCE, self._hang_up_if_silent)

    def _hang_up_if_silent(self) -> None:
        if self.cycle is None or (self.cycle.more_body and not self.cycle.response_complete):
            self.transport.close()


def serve(desks: Sequence[OpenWork], door: socket.socket, token: str) -> None:
    """Answer until the process is told to end. Raises KeyboardInterrupt on Ctrl-C."""
    guard = Guard(Room(desks).application(), door.getsockname()[1], token)
    config = uvicorn.Config(
        guard, http=_Impatient, ws="none", loop="asyncio", lifespan="off", log_config=None, log_level="error",
        access_log=False, server_header=False, proxy_headers=False, limit_concurrency=64, timeout_keep_alive=10,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[door])
