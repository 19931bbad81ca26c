"""Pieces of work in one process or several: the same results in the same order, and none of it lost without a word."""

import os
import signal
import time

import pytest

from casefhir.errors import CasefhirError
from casefhir.processes import in_order


class Lost(CasefhirError):
    """A worker is gone."""


class Refused(CasefhirError):
    """A piece cannot be done."""


class Squares:
    """Works on numbers; `settle` writes what it was told beside the result that it held."""

    def __init__(self, folder):
        self.folder = folder
        self.held = []

    def __call__(self, piece):
        if piece == "refuse":
            raise Refused("The piece cannot be done.")
        if piece == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02 if piece % 3 == 0 else 0)  # later pieces are done before earlier ones
        self.held.append(piece * piece)
        return piece * piece

    def settle(self, order):
        (self.folder / str(order)).write_text(f"{self.held.pop(0)} {os.getpid()}")


def done(pieces, folder, jobs, settle=None):
    return in_order(pieces, Squares, (folder,), jobs=jobs, lost=Lost("A worker is gone."), settle=settle)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_the_order_of_the_pieces(tmp_path, jobs):
    assert list(done(range(20), tmp_path, jobs)) == [(each, each * each) for each in range(20)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_is_settled_is_settled_in_order_and_where_it_was_made(tmp_path, jobs):
    asked = []

    def settle(piece, result):
        asked.append((piece, result))
        return piece

    for piece, result in done(range(20), tmp_path, jobs, settle):
        written, process = (tmp_path / str(piece)).read_text().split()
        assert int(written) == result
        assert (int(process) == os.getpid()) == (jobs == 1)
    assert asked == [(each, each * each) for each in range(20)]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("settle", [None, lambda piece, _: piece])
def test_a_piece_that_cannot_be_done_is_told_after_all_before_it(tmp_path, jobs, settle):
    found = done([1, 2, 3, "refuse", 5], tmp_path, jobs, settle)
    assert [next(found)[0] for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Refused):
        next(found)


def test_a_worker_that_is_killed_is_told(tmp_path):
    with pytest.raises(Lost):
        list(done([1, 2, "die", 3, 4, 5, 6], tmp_path, 2))


def test_pieces_are_asked_for_as_they_are_needed(tmp_path):
    asked = []

    def pieces():
        for each in range(1000):
            asked.append(each)
            yield each

    found = done(pieces(), tmp_path, 2)
    next(found)
    found.close()
    assert len(asked) < 20
