"""The orders that the calls of requests can have, depth first."""

from collections.abc import Mapping

from .calls import Call


class Choice:
    """Whose turn it was at one step of an order, and who else's it could have been."""

    __slots__ = ("asleep", "could", "taken")

    def __init__(self, could: Mapping[int, Call], asleep: set[int], taken: int) -> None:
        self.could = could
        self.asleep = asleep
        """Whose turn need not come here: it has come, or comes later in an order that leads to the same."""
        self.taken = taken


class Orders:
    """All orders but those that differ from another one only by calls that do not concern each other.

    These are "sleep sets" (Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996). Each
    run asks ``choose`` at each step; after it, ``advance`` says whether there is one more order.
    """

    def __init__(self) -> None:
        self._path: list[Choice] = []
        self._step = 0

    def choose(self, could: Mapping[int, Call]) -> int | None:
        """Whose turn it is among those who wait with these calls, None where the order leads to nothing new."""
        if self._step < len(self._path) and self._path[self._step].could.keys() != could.keys():
            del self._path[self._step :]  # a request went another way than in the run before
        if self._step == len(self._path):
            asleep = self._asleep()
            awake = [number for number in sorted(could) if number not in asleep]
            if not awake:
                return None
            self._path.append(Choice(could, asleep, awake[0]))
        self._step += 1
        return self._path[self._step - 1].taken

    def _asleep(self) -> set[int]:
        """Who sleeps at the next step: whose call would do the same before the call that was taken last."""
        if not self._path:
            return set()
        last = self._path[-1]
        taken = last.could[last.taken]
        return {one for one in last.asleep if one != last.taken and last.could[one].commutes(taken)}

    def advance(self) -> bool:
        """Go on to the next order; False after the last."""
        self._step = 0
        while self._path:
            last = self._path[-1]
            last.asleep.add(last.taken)
            awake = [number for number in sorted(last.could) if number not in last.asleep]
            if awake:
                last.taken = awake[0]
                return True
            self._path.pop()
        return False
