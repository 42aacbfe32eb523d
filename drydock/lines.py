"""Differences between texts by line, in bounded time whatever the texts are."""

import difflib
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

# Comparisons of a pair of lines: about a second. Two versions of a file of 36,000 lines that share little need more.
WORK = 10_000_000


class Matcher(difflib.SequenceMatcher[str]):
    """difflib's matcher with a bound on its work.

    Parts of the texts that would need more than what is left are only compared at their ends: the result is right,
    but not as fine as it could be.
    """

    def __init__(self, old: Sequence[str], new: Sequence[str], *, autojunk: bool = True) -> None:
        super().__init__(None, old, new, autojunk)
        self.old, self.new, self.left = old, new, WORK
        # How many pairs are looked at for the first lines of the old text.
        places = self.b2j  # type: ignore[attr-defined]  # documented
        self.pairs = [0, *accumulate(1 + len(places.get(line, ())) for line in old)]

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        """See SequenceMatcher."""
        ahi, bhi = len(self.old) if ahi is None else ahi, len(self.new) if bhi is None else bhi
        work = self.pairs[ahi] - self.pairs[alo]
        if work <= self.left:
            self.left -= work
            return super().find_longest_match(alo, ahi, blo, bhi)
        longest = min(ahi - alo, bhi - blo)
        first = common(self.old[alo + n] == self.new[blo + n] for n in range(longest))
        if first:
            return difflib.Match(alo, blo, first)
        last = common(self.old[ahi - n - 1] == self.new[bhi - n - 1] for n in range(longest))
        return difflib.Match(ahi - last, bhi - last, last)


def common(equal: Iterable[bool]) -> int:
    """Return how many are true before the first that is not."""
    return sum(takewhile(bool, equal))
