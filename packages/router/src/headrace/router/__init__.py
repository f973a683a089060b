"""URL dispatch and URL building, for any framework or none."""

from ._declare import Declared
from ._errors import BuildError, ConflictError, FrozenError, PatternError, RouterError
from ._explain import Explanation
from ._router import Router
from ._routes import Match, Miss, Resource, Route

__all__ = [
    "BuildError",
    "ConflictError",
    "Declared",
    "Explanation",
    "FrozenError",
    "Match",
    "Miss",
    "PatternError",
    "Resource",
    "Route",
    "Router",
    "RouterError",
]
