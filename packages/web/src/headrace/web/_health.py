"""What load balancers and orchestrators ask a server."""

from __future__ import annotations

from ._request import BaseRequest
from ._response import Response


async def readiness(request: BaseRequest) -> Response:
    """Answer 200, and 503 from the moment on in which the server is told to stop.

    A handler: ``app.router.add_get("/ready", web.readiness)``.
    """
    if request.shutting_down:
        return Response(status=503, text="shutting down\n", headers={"Cache-Control": "no-store"})
    return Response(text="ready\n", headers={"Cache-Control": "no-store"})
