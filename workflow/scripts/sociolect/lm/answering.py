"""Requests answered in pieces, each handed on as soon as it is whole, so that it can be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sociolect.common.progress import Report, within
from sociolect.lm.requests import Backend, Request, Result

__all__ = ["answer_pieces"]


def answer_pieces(
    backend: Backend, pieces: Mapping[int, Sequence[Request]], progress: Report | None = None
) -> Iterator[tuple[int, dict[str, Result]]]:
    """(number, its results by request id) of each piece, as soon as its last request is answered.

    A backend with `one_queue` gets the requests of all pieces at once, others those of one piece at a time, so that
    nothing in a piece depends on which others share the call.

    Args:
        backend: answers.
        pieces: number -> requests, one at least; no id occurs twice.
        progress: of the requests of all pieces.
    """
    total, done = sum(len(requests) for requests in pieces.values()), 0
    for numbers in [list(pieces)] if backend.one_queue and pieces else [[number] for number in pieces]:
        piece_of = {request.id: number for number in numbers for request in pieces[number]}
        results: dict[int, dict[str, Result]] = {number: {} for number in numbers}
        asked = [request for number in numbers for request in pieces[number]]
        for result in backend.generate(asked, within(progress, done, len(asked), total)):
            number = piece_of[result.id]
            results[number][result.id] = result
            if len(results[number]) == len(pieces[number]):
                yield number, results.pop(number)
        done += len(asked)
