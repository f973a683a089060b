"""One frozen router answers any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from headrace.router import Router


def test_threads_get_their_own_parameters() -> None:
    router: Router[int] = Router()
    router.add_route("GET", "/", -1)
    for index in range(50):
        router.add_route("GET", f"/{index}/{{x}}/{{y:int}}", index)
        router.add_route("GET", f"/{index}/{{x:[a-f]+}}/{{tail:.*}}", 1000 + index)
    router.freeze()
    barrier = Barrier(8)

    def work(seed: int) -> list[object]:
        barrier.wait()
        wrong: list[object] = []
        for turn in range(400):
            index = (seed * 31 + turn) % 50
            found = router.resolve("GET", f"/{index}/t%20{seed}/{turn}")
            rest = router.resolve("GET", f"/{index}/abc/{turn}/{seed}")
            root = router.resolve("GET", "/")
            if not (found and rest and root):
                wrong.append((found, rest, root))
            elif (found.value, dict(found.params)) != (index, {"x": f"t {seed}", "y": turn}):
                wrong.append(found)
            elif dict(rest.params) != {"x": "abc", "tail": f"{turn}/{seed}"}:
                wrong.append(rest)
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert [wrong for wrongs in pool.map(work, range(8)) for wrong in wrongs] == []
