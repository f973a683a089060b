"""Directories as resources: which file a path means, and that there is no way out.

The way from a URL to a file is: split the path as it was sent, decode each segment once, refuse
what is no plain name, and only then ask the file system. What was opened is then asked for its
own path: that tells of symlinks, whatever happens to the path meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from errno import ENOENT
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple, SupportsIndex, overload
from urllib.parse import quote, unquote

from yarl import URL

import headrace.web._headers as hdrs
from headrace.router import Match, Router

from ._accept import parse_weights, quality
from ._disk import OpenFile, look_up, real_path
from ._exceptions import HTTPMovedPermanently, framework_answer
from ._files import FileResponse, Found, answer_for, find_file, heads_of
from ._kept import Keeper, KeptFile, read_small
from ._media import Coding, accepted_codings
from ._middleware import AnyHandler
from ._policy import NO_POLICY, Policy
from ._request import BaseRequest
from ._response import Response
from ._routes import (
    AbstractResource,
    ExpectHandler,
    ResourceRoute,
    UrlMappingMatchInfo,
)
from ._sendfile import PIECE
from ._stream_response import StreamResponse

CacheControl = str | Callable[[str], str | None] | None

#: What is said of files that never change: a year is as good as for ever (RFC 8246).
IMMUTABLE: Final = "public, max-age=31536000, immutable"
#: Entries of a directory beyond which its listing is cut.
MAX_LISTED: Final = 10_000

# At least 8 hexadecimal digits, letters and figures, that stand apart before an extension.
_HASHED = re.compile(
    r"[.\-_](?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{8,64}(?:\.[A-Za-z0-9]+)+$"
)
_WINDOWS_NAME = re.compile(
    r"""[\x00-\x1f:<>"|?*]|[. ]$|~[0-9]|^(?:con|prn|aux|nul|conin\$|conout\$|com.|lpt.)(?:\.|$)""",
    re.IGNORECASE,
)


def immutable_when_hashed(
    otherwise: str | None = "no-cache", *, pattern: str | re.Pattern[str] = _HASHED
) -> Callable[[str], str | None]:
    """Return a rule for `add_static`: files with a hash in their name never change.

    Args:
        otherwise: The Cache-Control of all other files, None for none.
        pattern: Is searched in the path below the directory. The default finds at least 8
            hexadecimal digits before the extension, as in ``app.3f9a01bc.js``.
    """
    hashed = re.compile(pattern)

    def cache_control(filename: str) -> str | None:
        return IMMUTABLE if hashed.search(filename) else otherwise

    return cache_control


def split_rest(rest: str, *, windows: bool = os.name == "nt") -> list[str] | None:
    """Return the names in what follows a prefix, as it was sent; None when one is no name.

    The last one is empty when a directory is asked for.
    """
    if not rest:
        return []
    names = [unquote(segment, errors="strict") for segment in rest.removeprefix("/").split("/")]
    for name in names[:-1] if not names[-1] else names:
        if (
            name in ("", ".", "..")
            or "/" in name
            or "\\" in name
            or "\0" in name
            or (windows and _WINDOWS_NAME.search(name))
        ):
            return None
    return names


class Directory(NamedTuple):
    """A directory without an index file."""

    page: str | None  # its listing, if there is to be one


class Redirect(NamedTuple):
    """A directory with an index file, asked for without its slash."""


class StaticRoute(ResourceRoute):
    """A route of a directory; ``match_info["filename"]`` is the path below it."""

    def match_info(self, request: BaseRequest, params: Mapping[str, Any]) -> UrlMappingMatchInfo:
        """Build the mapping that handlers see as ``request.match_info``."""
        matched = request._matched
        rest = matched.rest if isinstance(matched, Match) else None
        filename = (rest or "").removeprefix("/")
        return super().match_info(request, {**params, "filename": filename})


class _ByMethod(list[ResourceRoute]):
    """The routes, also by method: `aiohttp_cors` asks like that."""

    @overload
    def __getitem__(self, key: SupportsIndex) -> ResourceRoute: ...
    @overload
    def __getitem__(self, key: slice) -> list[ResourceRoute]: ...
    @overload
    def __getitem__(self, key: str) -> ResourceRoute: ...
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return next(route for route in self if route.method == key)
        return super().__getitem__(key)


class StaticResource(AbstractResource):
    """A directory that is served below a prefix; `UrlDispatcher.add_static` makes them."""

    VERSION_KEY = "v"

    def __init__(
        self,
        table: Router[ResourceRoute],
        prefix: str,
        directory: str | os.PathLike[str],
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
        chunk_size: int = PIECE,
        show_index: bool = False,
        follow_symlinks: bool = False,
        append_version: bool = False,
        index: str | None = "index.html",
        fallback: str | None = None,
        cache_control: CacheControl = None,
        policy: Policy = NO_POLICY,
    ) -> None:
        path = Path(directory).expanduser()
        if not path.is_dir():
            raise ValueError(f"'{directory}' is not a directory")
        self._directory: Final = path.resolve(strict=True)
        self._root: Final = str(self._directory).rstrip(os.sep)
        self._chunk_size = chunk_size
        self._show_index = show_index
        self._follow_symlinks = follow_symlinks
        self._append_version = append_version
        self._index = index
        self._fallback = fallback
        self._cache_control = cache_control
        self._expect_handler = expect_handler
        self._policy = policy
        self._versions: dict[str, tuple[int, int, str]] = {}
        self._kept: Keeper[Found] = Keeper()
        self._routes: _ByMethod = _ByMethod()
        for method in (hdrs.METH_GET, hdrs.METH_HEAD):
            self._routes.append(self._route(method, self._handle))
        self._pattern = self._origin = self._place(table, prefix, name)

    def _route(self, method: str, handler: AnyHandler) -> StaticRoute:
        return StaticRoute(
            method,
            handler,
            expect_handler=self._expect_handler,
            resource=self,
            policy=self._policy,
        )

    def _place(self, table: Router[ResourceRoute], prefix: str, name: str | None = None) -> Any:
        first, *others = self._routes
        pattern = table.add_prefix(prefix, first, method=first.method, name=name)
        for route in others:
            pattern.add_route(route.method, route)
        return pattern

    def move(self, table: Router[ResourceRoute], prefix: str) -> None:
        """Serve the same directory in *table* below *prefix*."""
        self._pattern = self._place(table, prefix + self._pattern.pattern)

    def set_options_route(self, handler: AnyHandler) -> None:
        """Serve OPTIONS below the prefix with *handler*.

        Raises:
            RuntimeError: There is one already, or the application has started.
        """
        if any(route.method == hdrs.METH_OPTIONS for route in self._routes):
            raise RuntimeError("OPTIONS is served already")
        route = self._route(hdrs.METH_OPTIONS, handler)
        self._pattern.add_route(hdrs.METH_OPTIONS, route)
        self._routes.append(route)

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the resource, for display."""
        return {"directory": self._directory, "prefix": self.canonical, "routes": self._routes}

    # -- URLs

    def url_for(self, **parts: Any) -> URL:
        """Build the URL of the file *filename* below the directory.

        Args:
            parts: *filename*, variables of the prefix, and *append_version*: add the hash of
                the file as ``?v=…``, by default as `add_static` was told. The hash is kept
                until the file changes; reading a large one for the first time takes a while.
        """
        append = parts.pop("append_version", None)
        if parts.get("filename") is not None:
            parts["filename"] = os.fspath(parts["filename"]).removeprefix("/")
        url = self._pattern.url_for(**parts)
        if self._append_version if append is None else append:
            version = self._version_of(parts.get("filename") or "")
            if version is not None:
                return url.with_query({self.VERSION_KEY: version})
        return url

    def _version_of(self, filename: str) -> str | None:
        """Return the hash of a file, None when there is no such file; may wait for the disk."""
        path = f"{self._root}/{filename}"
        try:
            file = OpenFile(path)
        except (OSError, ValueError):
            return None
        try:
            self._guard(file)
            version = self._known_version(path, file.stat) or _hash(file)
        except OSError:
            return None
        finally:
            file.close()
        if len(self._versions) >= MAX_LISTED:
            self._versions.clear()
        self._versions[path] = (file.stat.st_mtime_ns, file.stat.st_size, version)
        return version

    def _known_version(self, path: str, facts: os.stat_result | None = None) -> str | None:
        """Return the hash of a file that has not changed since it was computed."""
        known = self._versions.get(path)
        if known is None:
            return None
        facts = facts or os.stat(path)
        return known[2] if known[:2] == (facts.st_mtime_ns, facts.st_size) else None

    # -- requests

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        matched = request._matched
        assert isinstance(matched, Match)
        names = split_rest(matched.raw_rest or "")
        if names is None:
            raise framework_answer(404)
        codings = accepted_codings(tuple(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))
        path = "/".join((self._root, *names))
        try:
            found = await look_up(path, self._look, path, codings, request.encoded_path)
        except (OSError, ValueError) as error:
            answer = answer_for(error)
            if answer is None:
                raise
            if answer.status != 404 or not self._falls_back(request, names):
                raise answer from None
            return await self._answer_fallback(codings)
        if isinstance(found, Found):
            path = self._file_path(path)
            return self._respond(found, path, await self._caching(request, path, found))
        if isinstance(found, Redirect):
            _, question, query = request.path_qs.partition("?")
            raise HTTPMovedPermanently(f"{request.encoded_path}/{question}{query}")
        if found.page is None:
            raise framework_answer(403)
        return Response(text=found.page, content_type="text/html")

    def _look(
        self, path: str, codings: tuple[Coding, ...], shown: str
    ) -> Found | Directory | Redirect:
        """Return what stands at *path*; may wait for the disk."""
        key = (path, codings)
        kept = self._kept.get(key)
        if kept is not None:
            assert isinstance(kept.file, KeptFile)
            file = kept.file if kept.file.is_whole else kept.file.open()
            if file is not None:
                return kept._replace(file=file)
        found = self._search(path, codings, shown)
        return self._keep(key, found) if isinstance(found, Found) else found

    def _keep(self, key: tuple[str, tuple[Coding, ...]], found: Found) -> Found:
        """Keep a file in mind: once it was found to be inside, it need not be again."""
        assert not isinstance(found.file, KeptFile)
        try:
            file = read_small(found.file)
        except OSError:
            return found  # whoever sends it will see
        heads = heads_of(found, self._rule(self._file_path(key[0])))
        self._kept.keep(key, found._replace(file=file, heads=heads), file)
        if not file.is_whole:
            return found
        found.file.close()
        return found._replace(file=file)

    def _search(
        self, path: str, codings: tuple[Coding, ...], shown: str
    ) -> Found | Directory | Redirect:
        wants_directory = path.endswith("/")
        if not _is_directory(path):
            return find_file(path, codings, self._guard)
        directory = path.rstrip("/") or "/"
        self._check_inside(os.path.realpath(directory), directory)
        if self._index is not None:
            try:
                found = find_file(f"{directory}/{self._index}", codings, self._guard)
            except FileNotFoundError:
                pass
            else:
                return found if wants_directory else Redirect()
        if not self._show_index:
            return Directory(None)
        title = directory.removeprefix(self._root).strip("/")
        return Directory(render_listing(title, shown, _entries(directory)))

    def _guard(self, file: OpenFile) -> None:
        """Raise FileNotFoundError for a file that a client may not reach by its path."""
        self._check_inside(real_path(file), file.path)

    def _check_inside(self, real: str, path: str) -> None:
        is_inside = real == self._root or real.startswith(self._root + os.sep)
        if not (is_inside or self._follow_symlinks) or (
            # Where case does not matter, rules about paths could be got round by another one.
            real != path and real.lower() == path.lower()
        ):
            raise FileNotFoundError(ENOENT, "not below the directory", path)

    def _respond(self, found: Found, path: str, caching: str | None) -> FileResponse:
        response = FileResponse(path, self._chunk_size)
        response._found = found
        response._guard = self._guard
        response._caching = caching
        return response

    async def _caching(self, request: BaseRequest, path: str, found: Found) -> str | None:
        """Return the Cache-Control of a file."""
        if self._append_version and "?" in request.raw_path:
            asked = request.query.get(self.VERSION_KEY)
            if asked is not None and asked == await self._current_version(path):
                return IMMUTABLE
        return self._rule(path) if found.heads is None else found.heads.caching

    def _rule(self, path: str) -> str | None:
        rule = self._cache_control
        return rule(path[len(self._root) + 1 :]) if callable(rule) else rule

    def _file_path(self, path: str) -> str:
        """Return the path of the file that is asked for, an index where it is a directory."""
        return path + (self._index or "") if path.endswith("/") else path

    async def _current_version(self, path: str) -> str | None:
        try:
            version = await look_up(path, self._known_version, path)
        except OSError:
            return None
        return version or await asyncio.to_thread(self._version_of, path[len(self._root) + 1 :])

    def _falls_back(self, request: BaseRequest, names: list[str]) -> bool:
        """Tell whether a path without a file is a page of an application in the browser."""
        if self._fallback is None:
            return False
        weights = parse_weights(request.headers.getall(hdrs.ACCEPT, ("*/*",)))
        wants_page = quality(weights, "text/html") > 0
        # A program that takes anything and asks for a file by its name wants that file.
        return wants_page and ("text/html" in weights or not names or "." not in names[-1])

    async def _answer_fallback(self, codings: tuple[Coding, ...]) -> StreamResponse:
        assert self._fallback is not None
        path = f"{self._root}/{self._fallback}"
        try:
            found = await look_up(path, find_file, path, codings, self._guard)
        except OSError as error:
            raise (answer_for(error) or error) from None
        return self._respond(found, path, "no-cache")


def _hash(file: OpenFile) -> str:
    digest = hashlib.sha256()
    offset = 0
    while offset < file.size:
        piece = file._read(offset, min(PIECE, file.size - offset))
        digest.update(piece)
        offset += len(piece)
    return base64.urlsafe_b64encode(digest.digest()).decode("ascii")


def _is_directory(path: str) -> bool:
    """Tell whether a directory stands at *path*; False where nothing does."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _entries(directory: str) -> list[str]:
    """Return the names in a directory, those of directories with a slash, in order."""
    with os.scandir(directory) as entries:
        names = [
            entry.name + "/" if entry.is_dir() else entry.name
            for entry, _ in zip(entries, range(MAX_LISTED), strict=False)
        ]
    return sorted(names)


def render_listing(title: str, shown: str, names: Iterable[str]) -> str:
    """Return a page with links to *names*, which stand below the path *shown*."""
    base = shown.rstrip("/")
    heading = f"Index of /{escape(_printable(title))}"
    items = []
    for name in names:
        link = escape(f"{base}/{quote(os.fsencode(name))}")
        items.append(f'<li><a href="{link}">{escape(_printable(name))}</a></li>')
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html>\n<head>\n<meta charset="utf-8">\n<title>{heading}</title>\n</head>',
            f"<body>\n<h1>{heading}</h1>\n<ul>",
            *items,
            "</ul>\n</body>\n</html>\n",
        ]
    )


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")
