"""A stand-in for the Hugging Face hub on loopback, which serves repositories from plain folders."""

import hashlib
import json
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
RESOLVE = re.compile(rf"/(?:(?P<kind>datasets)/)?{NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
API = re.compile(
    rf"/api/(?P<kind>models|datasets)/{NAME}"
    r"(?:/(?P<what>revision|tree|paths-info)/(?P<revision>[^/]+)(?:/(?P<path>.+))?)?"
)
BREAK_AT_ONCE = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset


@dataclass
class Cut:
    """A file whose transfer breaks off half way.

    Attributes:
        times: how often yet.
        reset: whether the connection is torn down, and not just closed.
    """

    times: int = 1
    reset: bool = False


@dataclass
class Hub:
    """Repositories in the folders `models/OWNER/NAME` and `datasets/OWNER/NAME` of a root, served over HTTP.

    Every revision is the same tree, unless a folder such as `NAME@refs-convert-parquet` lies beside the repository.

    Attributes:
        root: the folder.
        port: on loopback.
        gated: names of repositories whose files are not given away.
        cuts: what breaks off, by file name.
        log: what was asked for, such as "HEAD /OWNER/NAME/resolve/main/config.json", with the range if there is one.
    """

    root: Path
    port: int
    gated: set[str] = field(default_factory=set)
    cuts: dict[str, Cut] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), type("Handler", (_Handler,), {"hub": self}))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Refuse every connection from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def folder(self, name: str, kind: str = "models") -> Path:
        """The folder of a repository; made if it is not there, so that a test may fill it."""
        folder = self.root / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def break_off(self, file: str, *, times: int = 1, reset: bool = False) -> None:
        """Cut the transfer of a file half way, some times."""
        self.cuts[file] = Cut(times, reset)

    def asked_for(self, file: str) -> list[str]:
        """The requests whose path ends with a file name."""
        return [line for line in self.log if line.split()[1].endswith("/" + file)]


class _Handler(BaseHTTPRequestHandler):
    """Answers one request, and closes the connection, so that none outlives the server."""

    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_) -> None:
        """Nothing on the screen."""

    def _answer(self) -> None:
        self.asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.hub.log.append(" ".join([self.command, self.path, self.headers.get("Range", "")]).strip())
        url = urlsplit(self.path)
        if not (match := RESOLVE.fullmatch(url.path) or API.fullmatch(url.path)):
            return self._refuse(404, "NotFound", f"no such page: {url.path}")
        wanted = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
        kind, name = wanted.get("kind", "models"), wanted["name"]
        tree = _tree(self.hub.root / kind, name, wanted.get("revision", "main"))
        if tree is None:
            return self._refuse(401, "RepoNotFound", "Repository not found")
        if match.re is API:
            page = _api(tree, name, wanted, parse_qs(url.query), parse_qs(self.asked))
            return self._refuse(404, "EntryNotFound", "Entry not found") if page is None else self._send_json(page)
        if name in self.hub.gated:
            message = f"Access to {kind.removesuffix('s')} {name} is restricted. Please log in."
            return self._refuse(401, "GatedRepo", message)
        file = tree / wanted["path"]
        if not file.is_file():
            return self._refuse(404, "EntryNotFound", "Entry not found", tree)
        return self._send_file(file, tree)

    def _send_json(self, page: object) -> None:
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, file: Path, tree: Path) -> None:
        body = file.read_bytes()
        start, stop = _range(self.headers.get("Range"), len(body))
        self.send_response(206 if "Range" in self.headers else 200)
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")
        self.send_header("ETag", f'"{_hash(body)}"')
        self.send_header("X-Repo-Commit", _commit(tree))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = self.hub.cuts.get(file.name, Cut(times=0))
        if cut.times:
            cut.times -= 1
            stop = (start + stop) // 2
        self.wfile.write(body[start:stop])
        if cut.reset and stop < len(body):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAK_AT_ONCE)
            self.connection.close()

    def _refuse(self, status: int, code: str, message: str, tree: Path | None = None) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        if tree is not None:
            self.send_header("X-Repo-Commit", _commit(tree))
        self.send_header("Content-Length", "0")
        self.end_headers()


def _hash(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def _commit(tree: Path) -> str:
    """A name for the state of a repository, like that of a commit."""
    states = [(path.relative_to(tree).as_posix(), path.stat().st_mtime_ns) for path in _files(tree)]
    return _hash(repr((tree.name, states)).encode())


def _tree(kind: Path, name: str, revision: str) -> Path | None:
    """The folder of a repository at a revision or a commit."""
    tree = kind / name
    if not tree.is_dir():
        return None
    beside = tree.with_name(f"{tree.name}@{revision.replace('/', '-')}")
    if beside.is_dir():
        return beside
    others = tree.parent.glob(f"{tree.name}@*")
    return next((other for other in others if _commit(other) == revision), tree)


def _range(header: str | None, size: int) -> tuple[int, int]:
    """First byte, and the one after the last, of a range such as "bytes=100-" or "bytes=0-99"."""
    first, last = header.removeprefix("bytes=").split("-") if header else ("0", "")
    return int(first), min(int(last) + 1, size) if last else size


def _entry(path: Path, tree: Path) -> dict[str, object]:
    about = {"path": path.relative_to(tree).as_posix()}
    if path.is_dir():
        return about | {"type": "directory", "oid": _hash(path.name.encode()), "size": 0}
    return about | {"type": "file", "oid": _hash(path.read_bytes()), "size": path.stat().st_size}


def _api(
    tree: Path, name: str, wanted: dict[str, str], query: dict[str, list[str]], form: dict[str, list[str]]
) -> object | None:
    """What the hub knows about a repository, about the entries of a folder, or about paths; None for no such folder."""
    if wanted.get("what") == "tree":
        folder = tree / wanted.get("path", "")
        deep = query.get("recursive", ["false"])[0].lower() in ("true", "1")
        paths = sorted(folder.rglob("*") if deep else folder.glob("*"))
        return [_entry(path, tree) for path in paths] if folder.is_dir() else None
    if wanted.get("what") == "paths-info":
        return [_entry(tree / path, tree) for path in form["paths"] if (tree / path).exists()]
    return {
        "_id": _hash(name.encode()),
        "id": name,
        "sha": _commit(tree),
        "private": False,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "siblings": [{"rfilename": path.relative_to(tree).as_posix()} for path in _files(tree)],
    }
