"""The asynchronous way to the host: sends what a call says, tells it what came back, keeps the access token fresh.

Used by the client alone. It decides nothing about repeating; `_call` does.
"""

from __future__ import annotations

import anyio
import httpx

from valetkey._async.clock import AsyncClock
from valetkey._call import CONNECT_TIME, Again, Call, Deadline, Done, Wire
from valetkey._errors import InvalidAnswerError
from valetkey._generated import operations
from valetkey._operation import Operation, T
from valetkey._settings import Secret

# An access token is renewed a fifth of its life before its end, at most so many seconds before.
_EARLIEST = 60.0
# No answer of a host is longer.
_LONGEST_ANSWER = 256 * 1024 * 1024


class AsyncTransport:
    """Sends operations to one host as one API client."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: Secret,
        *,
        max_attempts: int,
        http: httpx.AsyncClient,
        clock: AsyncClock,
    ) -> None:
        self._base_url = base_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._max_attempts = max_attempts
        self._http = http
        self._clock = clock
        self._token: Secret | None = None
        self._renew_at = 0.0
        self._renewing = anyio.Lock()

    async def send(
        self,
        operation: Operation[T],
        *,
        timeout: float | None,
        idempotency_key: str | None = None,
        changes_nothing: bool = False,
    ) -> T:
        """The operation's value, or its error as an exception."""
        call = Call(
            operation,
            Deadline(self._clock.now, timeout),
            max_attempts=self._max_attempts,
            idempotency_key=idempotency_key,
            changes_nothing=changes_nothing,
        )
        return await self._run(call)

    async def aclose(self) -> None:
        """Ends its connections and forgets the token."""
        self._token = None
        await self._http.aclose()

    async def _run(self, call: Call[T]) -> T:
        while True:
            token = None if call.operation.public else await self._fresh_token(call.deadline)
            step = await self._attempt(call, call.wire(token))
            if isinstance(step, Done):
                return step.value
            if step.renew and self._token == token:
                self._token = None
            if step.wait > 0:
                await self._clock.sleep(step.wait)

    async def _attempt(self, call: Call[T], wire: Wire) -> Done[T] | Again:
        give_up_at = self._clock.now() + wire.patience
        connect = min(wire.patience, CONNECT_TIME)
        request = self._http.build_request(
            wire.method,
            f"{self._base_url}{wire.path}",
            params=wire.query or None,
            headers=wire.headers,
            json=wire.json,
            content=wire.content,
            timeout=httpx.Timeout(wire.patience, connect=connect, pool=connect),
        )
        try:
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _LONGEST_ANSWER:
                        raise InvalidAnswerError(
                            f"The answer to {call.operation.name} is longer than {_LONGEST_ANSWER} bytes.",
                            status=response.status_code,
                        )
                    if self._clock.now() > give_up_at:
                        raise call.late()
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as cause:
            return call.not_sent(cause)
        except httpx.TimeoutException as cause:
            raise call.late() from cause
        except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError) as cause:
            return call.lost(cause)
        return call.answered(response.status_code, response.headers, bytes(body))

    async def _fresh_token(self, deadline: Deadline) -> Secret:
        """The access token, renewed when it is about to end: once, however many calls wait."""
        async with self._renewing:
            if self._token is None or self._clock.now() >= self._renew_at:
                asked_at = self._clock.now()
                operation = operations.token(
                    grant_type="client_credentials",
                    client_id=self._client_id,
                    client_secret=self._client_secret.reveal(),
                )
                answer = await self._run(Call(operation, deadline, max_attempts=self._max_attempts))
                self._token = Secret(answer.access_token)
                self._renew_at = asked_at + answer.expires_in - min(_EARLIEST, answer.expires_in / 5)
            return self._token
