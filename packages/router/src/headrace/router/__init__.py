"""URL dispatch and URL building, for any framework or none.

A `Router[T]` maps a method and a path to a value of any type, and answers a `Match` or a `Miss`:

>>> from headrace.router import Router
>>> router: Router[str] = Router()
>>> route = router.add_route("GET", "/users/{user}/posts/{post:int}", "show a post", name="post")
>>> found = router.resolve("GET", "/users/ada%20l/posts/7")
>>> found.value, found.params
('show a post', {'user': 'ada l', 'post': 7})
>>> router.resolve("PUT", "/users/ada/posts/7")
Miss(allowed=['GET'])
>>> router["post"].url({"user": "ada l", "post": 7}, query={"page": "2"})
'/users/ada%20l/posts/7?page=2'

**Patterns.** A pattern starts with a slash. Outside of braces it is literal text, written as it
is read or percent-encoded; ``%2F`` is a slash inside of a segment, ``%7B`` and ``%7D`` are
braces.

==================  =============================================================================
``{name}``          one segment, not empty; ``{name:[^{}/]+}`` says the same
``{name:regex}``    text that the whole regex accepts; it spans segments when it can accept a slash
``{name:int}``      ASCII digits after an optional minus, as int
``{name:float}``    the same with an optional fraction, as float
``{name:uuid}``     8-4-4-4-12 hexadecimal digits, as uuid.UUID
``{name:date}``     YYYY-MM-DD, as datetime.date
``{name:slug}``     ASCII letters, digits, ``-`` and ``_``, as str
``{name:path}``     the rest of the path, maybe empty, as str
==================  =============================================================================

A name is an identifier, once in a pattern. A segment may mix literals and variables, as in
``/{year}-{month}.{ext}``; the earlier variable takes as much as it can. Regexes see decoded text,
in which ``/ % { }`` stay encoded, so ``{name}`` accepts ``a%2Fb`` as the one segment ``a/b``;
``.`` accepts every character. Numbered backreferences are refused.

**Paths** are resolved as they are sent: percent-encoded, without the query. An escape that is
malformed or not UTF-8 is a miss. Nothing is normalised: ``/a``, ``/a/`` and ``//a`` are three
paths, ``.`` and ``..`` are text. A path that does not start with a slash is a miss.

**Precedence.** At the first segment that differs, a literal goes before a constrained segment (a
regex, a converter, several variables), that before a plain variable, and that before a rest of
the path. Two constrained segments at one position are tried in order of registration. What leads
nowhere is taken back. A route for the method goes before one for ``*`` of the same shape. Two
routes of which one could never run are refused with a `ConflictError`.

**Building** refuses what would not come back: missing, unknown and mistyped parts, text that the
pattern does not accept, dot segments, and a path that starts with two slashes.

**Limits.** A look-up costs the same for ten routes and ten thousand. Its work is linear in the
length of the path, apart from what the regexes of the patterns themselves do; each of those is
asked at most three times for each place it has in the table, and sees one segment, or the rest of
the path.

**Threads.** Any number of threads may resolve at once, as long as none adds routes; ``freeze()``
makes sure of that.

**Errors.** ``resolve`` and ``explain`` raise nothing for any text. Adding raises `PatternError`,
`ConflictError` or `FrozenError`, building a URL raises `BuildError`; all are `RouterError`.
"""

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
