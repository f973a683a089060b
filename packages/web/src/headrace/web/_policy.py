"""What holds for a route beside its handler: limits, middlewares, facts for others to read.

A policy is stated for an application, a group or a route. Each fills in what the one inside
leaves open; middlewares add up, those of the outside around those of the inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from ._middleware import AnyMiddleware


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for a route; None leaves a thing to the policy around it.

    Args:
        middlewares: Middlewares inside those of the application, the outermost first.
        client_max_size: Bytes of body that `Request.read` and its like accept; 0 for any.
        client_max_fields: Fields of a form that `Request.post` accepts; 0 for any number.
        timeout: Seconds that the handler and its own middlewares may take; the answer is 504
            then. 0 for any time.
        handler_cancellation: Whether the handler is cancelled when its client disconnects.
        metadata: Facts for middlewares to read, as ``request.match_info.route.metadata``.
    """

    middlewares: Sequence[AnyMiddleware] = ()
    client_max_size: int | None = None
    client_max_fields: int | None = None
    timeout: float | None = None
    handler_cancellation: bool | None = None
    metadata: Mapping[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.client_max_size is not None and self.client_max_size < 0:
            raise ValueError(f"client_max_size is {self.client_max_size}, expected at least 0")
        if self.client_max_fields is not None and self.client_max_fields < 0:
            raise ValueError(f"client_max_fields is {self.client_max_fields}, expected at least 0")
        if self.timeout is not None and self.timeout < 0:
            raise ValueError(f"timeout is {self.timeout}, expected at least 0 seconds")

    def inside(self, outer: Policy) -> Policy:
        """Return this policy with what it leaves open taken from *outer*."""
        return replace(
            self,
            middlewares=(*outer.middlewares, *self.middlewares),
            client_max_size=_first(self.client_max_size, outer.client_max_size),
            client_max_fields=_first(self.client_max_fields, outer.client_max_fields),
            timeout=_first(self.timeout, outer.timeout),
            handler_cancellation=_first(self.handler_cancellation, outer.handler_cancellation),
            metadata=MappingProxyType({**outer.metadata, **self.metadata}),
        )


def _first(inner: Any, outer: Any) -> Any:
    return outer if inner is None else inner


NO_POLICY: Final = Policy()
