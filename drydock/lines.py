"""Differences between texts by line, in bounded time whatever the texts are."""

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

# Comparisons of a pair of lines: about a second. Two versions of a file of 36,000 lines that share little need more.
WORK = 10_000_000
# Parts that need more than this are split first, at a line that both texts have once: difflib would look at the whole
# part for each of its matches.
LARGE = 100


# A file with more changed lines than this is a different one, such as a lock that was made again: nobody would read its
# keys, and it is only compared by line.
WHOLE = 10_000


def differing(old: Sequence[bytes], new: Sequence[bytes]) -> int:
    """Return how many lines only one of two texts has: at least so many were changed."""
    before, after = Counter(old), Counter(new)
    return (before - after).total() + (after - before).total()


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
        self.anchors = anchors(old, new) if self.pairs[-1] > LARGE else []

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        """See SequenceMatcher."""
        ahi, bhi = len(self.old) if ahi is None else ahi, len(self.new) if bhi is None else bhi
        work = self.pairs[ahi] - self.pairs[alo]
        if work > LARGE and (match := self.middle(alo, ahi, blo, bhi)):
            return match
        if work <= self.left:
            self.left -= work
            return super().find_longest_match(alo, ahi, blo, bhi)
        longest = min(ahi - alo, bhi - blo)
        first = common(self.old[alo + n] == self.new[blo + n] for n in range(longest))
        if first:
            return difflib.Match(alo, blo, first)
        last = common(self.old[ahi - n - 1] == self.new[bhi - n - 1] for n in range(longest))
        return difflib.Match(ahi - last, bhi - last, last)

    def middle(self, alo: int, ahi: int, blo: int, bhi: int) -> difflib.Match | None:
        """Return what both parts have around the anchor in their middle; None if they have none."""
        start, end = bisect_left(self.anchors, (alo, blo)), bisect_left(self.anchors, (ahi, 0))
        inside = [pair for pair in self.anchors[start:end] if blo <= pair[1] < bhi]
        if not inside:
            return None
        i, j = inside[len(inside) // 2]
        before = common(
            self.old[i - n] == self.new[j - n] for n in range(1, min(i - alo, j - blo) + 1)
        )
        after = common(self.old[i + n] == self.new[j + n] for n in range(min(ahi - i, bhi - j)))
        return difflib.Match(i - before, j - before, before + after)


def anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of lines that each text has once, as many as are in the same order in both."""
    once = [{line for line, count in Counter(lines).items() if count == 1} for lines in (old, new)]
    shared = once[0] & once[1]
    places = {line: number for number, line in enumerate(new) if line in shared}
    ends: list[int] = []  # the smallest end of a sequence of each length
    chain: list[tuple[tuple[int, int], int]] = []  # a pair, and the index of the one before it
    last: list[int] = []
    for number, line in enumerate(old):
        if line not in places:
            continue
        length = bisect_left(ends, places[line])
        chain.append(((number, places[line]), last[length - 1] if length else -1))
        ends[length : length + 1] = [places[line]]
        last[length : length + 1] = [len(chain) - 1]
    result = []
    index = last[-1] if last else -1
    while index >= 0:
        pair, index = chain[index]
        result.append(pair)
    return result[::-1]


def common(equal: Iterable[bool]) -> int:
    """Return how many are true before the first that is not."""
    return sum(takewhile(bool, equal))
