"""The one place that speaks HTTP to others: GET and POST with deadline, size cap, retries, ETag, address guard. I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError as TransportError

from aggregator.errors import FeedError, FeedUnreachable
from aggregator.outbound import guard
from aggregator.outbound.answer import Answer, is_file, read_file, refuse
from aggregator.outbound.guarded import CONNECT, GuardedAdapter
from aggregator.outbound.manners import Manners

AGENT: Final = "Netzlage/0.1 (+https://github.com/netzlage/netzlage)"
DEADLINE: Final = 30.0  # seconds, for redirects, retries and the whole body together
MAX_BYTES: Final = 20_000_000  # after decompression
MAX_REDIRECTS: Final = 3
CONDITIONS: Final = frozenset({"if-none-match", "if-modified-since"})
MAX_ROBOTS: Final = 500_000
CHUNK: Final = 65_536
PAUSE: Final = 1.0  # seconds between two requests to one host of others
TOKEN_SHARE: Final = 0.95  # of a token's life that it is used for
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Outbound:
    """GET and POST to the servers of others; also reads a path or a file: URL.

    Every method raises FeedUnreachable or FeedBlocked, each with one sentence. monotonic, resolve, allowed (which
    addresses are public) and pause (seconds between two requests to a host of others) can be replaced in tests.
    """

    def __init__(
        self,
        *,
        agent: str = AGENT,
        monotonic: Callable[[], float] = time.monotonic,
        resolve: guard.Resolve = guard.resolve_host,
        allowed: Callable[[str], bool] = guard.is_global,
        pause: float = PAUSE,
    ) -> None:
        self._agent, self._monotonic, self._resolve, self._allowed = agent, monotonic, resolve, allowed
        self._manners = Manners(agent, pause, monotonic)
        self._constants: dict[str, str] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    def conversation(
        self, *, allow_private: bool = False, invited: bool = False, deadline: float | None = None
    ) -> Conversation:
        """Return a context in which several requests to one server share a connection.

        allow_private: a server of our own. invited: the server gave us a token, so its robots.txt is not meant for us.
        deadline: seconds for all of its requests together.
        """
        watch = guard.Watch(self._monotonic)
        adapter = GuardedAdapter(watch, self._resolve, None if allow_private else self._allowed)
        manners = None if allow_private else self._manners
        until = None if deadline is None else self._monotonic() + deadline
        return Conversation(adapter, self._agent, manners, robots=not invited, until=until)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        max_bytes: int = MAX_BYTES,
        etag: str = "",
        last_modified: str = "",
        allow_private: bool = False,
        invited: bool = False,
    ) -> Answer:
        """Fetch a URL, path or file: URL, within `deadline` seconds and `max_bytes` decoded bytes in all."""
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        sent = {**(headers or {}), **{name: value for name, value in conditions.items() if value}}
        with self.conversation(allow_private=allow_private, invited=invited) as talk:
            return talk.get(url, headers=sent, deadline=deadline, max_bytes=max_bytes)

    def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        max_bytes: int = MAX_BYTES,
        allow_private: bool = False,
    ) -> Answer:
        """Send `data` once: an answer of 5xx is not asked for again, a redirect not followed."""
        with self.conversation(allow_private=allow_private) as talk:
            return talk.post(url, data=data, headers=headers, deadline=deadline, max_bytes=max_bytes)

    def constant(self, url: str, ask: Callable[[str], str]) -> str:
        """Return what `ask` makes of a URL whose answer never changes; it is asked for once."""
        if url not in self._constants:
            self._constants[url] = ask(url)
        return self._constants[url]

    def token(self, key: str, ask: Callable[[], tuple[str, float]]) -> tuple[str, bool]:
        """Return the token of `key`, and whether it was asked for just now: `ask` gives one and its seconds of life."""
        token, until = self._tokens.get(key, ("", 0.0))
        if token and self._monotonic() < until:
            return token, False
        token, seconds = ask()
        self._tokens[key] = (token, self._monotonic() + seconds * TOKEN_SHARE)
        return token, True

    def forget_token(self, key: str) -> None:
        """Forget a token that was refused."""
        self._tokens.pop(key, None)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to be sent."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str]
    data: Mapping[str, str] | bytes | None


class Conversation:
    """Several requests over one connection. For one thread, and to be closed."""

    def __init__(
        self, adapter: GuardedAdapter, agent: str, manners: Manners | None, *, robots: bool, until: float | None
    ) -> None:
        self._watch, self._manners, self._robots, self._until = adapter.watch, manners, robots, until
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = agent
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._watch.close()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """As Outbound.get."""
        if is_file(url):
            return read_file(url, dict(headers or {}), max_bytes)
        return self._talk(Request("GET", url, dict(headers or {}), None), deadline, max_bytes)

    def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        max_bytes: int = MAX_BYTES,
        any_status: bool = False,
    ) -> Answer:
        """As Outbound.post; any_status: an answer that refuses is an answer too, for who must tell 410 from 500."""
        return self._talk(Request("POST", url, dict(headers or {}), data), deadline, max_bytes, any_status=any_status)

    def _talk(self, request: Request, deadline: float, cap: int, *, any_status: bool = False) -> Answer:
        """Follow redirects by hand; the deadline is for all of it."""
        self._watch.start(deadline, self._until)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                self._be_polite(request.url)
                answer = self._once(request, cap, any_status=any_status)
                if isinstance(answer, Answer):
                    return answer
                request = answer
            raise FeedUnreachable(f"{_host(request.url)} redirects more than {MAX_REDIRECTS} times.")
        except FeedError:
            raise
        except (requests.RequestException, TransportError, OSError, ValueError) as error:
            raise FeedUnreachable(self._why(error, request.url, deadline)) from None
        finally:
            self._watch.stop()

    def _be_polite(self, url: str) -> None:
        """Wait for our turn at the host, and ask its robots.txt whether we may; FeedBlocked where it says no."""
        if self._manners is None:
            return
        if self._robots:
            self._manners.ask(url, self._robots_of, self._watch.left)
        self._manners.wait(url, self._watch.left)

    def _robots_of(self, url: str) -> bytes | None:
        """Fetch a robots.txt; None: there is none."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once(Request("GET", url, {}, None), MAX_ROBOTS, any_status=True)
            if isinstance(answer, Answer):
                break
            url = answer.url
        else:
            return None
        if answer.status >= 500:
            raise FeedUnreachable(f"{_host(url)} answers {answer.status} for its robots.txt, so nothing is fetched.")
        return answer.body if answer.status == 200 else None

    def _once(self, request: Request, cap: int, *, any_status: bool = False) -> Answer | Request:
        """Return the answer, or the request that the server sends us on to."""
        parts = urlsplit(request.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise FeedUnreachable(f"{request.url[:200]!r} is not an http or https address.")
        left = max(self._watch.left, 0.001)
        with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.data,
            stream=True,
            allow_redirects=False,
            timeout=(min(CONNECT, left), left),
        ) as response:
            if response.status_code in REDIRECTS and "Location" in response.headers:
                return _onward(request, response.headers["Location"])
            body = self._body(response, _host(request.url), cap)
            if response.status_code == 304 and not CONDITIONS & {name.lower() for name in request.headers}:
                raise FeedUnreachable(f"{_host(request.url)} says that nothing changed, but of what we do not know.")
            if not any_status:
                refuse(response.status_code, response.headers, body, _host(request.url))
            return _answer(response, body)

    def _body(self, response: requests.Response, host: str, cap: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            size += len(chunk)
            if size > cap:
                raise FeedUnreachable(f"{host} sends more than {cap:,} bytes; nothing of it was taken.")
            parts.append(chunk)
            if self._watch.left <= 0:
                break
        if self._watch.left <= 0:  # a socket that the watch shut down looks like the end of the body
            raise TimeoutError
        return b"".join(parts)

    def _why(self, error: Exception, url: str, deadline: float) -> str:
        host = _host(url)
        if self._watch.left <= 0 or isinstance(error, requests.Timeout | TimeoutError):
            return f"{host} did not answer in full within {deadline:g} seconds."
        if isinstance(error, requests.exceptions.SSLError):
            return f"{host} has no certificate that can be trusted."
        if "IncompleteRead" in repr(error):
            return f"{host} broke off in the middle of its answer."
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
            return f"{url[:200]!r} cannot be requested; check the address."
        if "NewConnectionError" in repr(error):
            return f"{host} cannot be reached; check its name and the network."
        return f"{host} ended the connection without an answer that can be read."


def _answer(response: requests.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(
        response.status_code,
        headers,
        body,
        response.url,
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url[:80]


def _server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _onward(request: Request, location: str) -> Request:
    """Return the request for where the server sends us; what identifies us stays with the server it was meant for."""
    if request.method == "POST":
        raise FeedUnreachable(f"{_host(request.url)} redirects a POST, which is not followed.")
    url = urljoin(request.url, location)
    if _server(urlsplit(url)) == _server(urlsplit(request.url)):
        return replace(request, url=url)
    kept = {name: value for name, value in request.headers.items() if name.lower() not in {"authorization", "cookie"}}
    return replace(request, url=url, headers=kept)
