"""URL dispatch and URL building, for any framework or none."""

from ._errors import BuildError, ConflictError, PatternError, RouterError
from ._router import Router
from ._routes import Match, Miss, Resource, Route

__all__ = [
    "BuildError",
    "ConflictError",
    "Match",
    "Miss",
    "PatternError",
    "Resource",
    "Route",
    "Router",
    "RouterError",
]
