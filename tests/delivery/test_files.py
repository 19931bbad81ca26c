"""Output files: whole or not there, the same bytes whatever happened on the way."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefhir.delivery.files import GrowingFiles, LostOutput

NAMES = ("Patient.ndjson", "Observation.ndjson", "index/resources.ndjson", "rejects/lb.csv")
ADDITIONS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 60)), max_size=30)


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def line(number, width):
    return f"{number:06d}{'x' * width}\n".encode()


def write(files, additions, start=0, stop=None, each=4):
    """Adds, with a checkpoint after every `each`; the last checkpoint's state and what had been added by then."""
    state, at = None, start
    for place, (name, width) in list(enumerate(additions))[start:stop]:
        files.add(name, line(place, width))
        if place % each == each - 1:
            state, at = files.checkpoint(), place + 1
    return state, at


def test_nothing_is_to_be_seen_before_the_end(tmp_path):
    files = GrowingFiles(tmp_path)
    files.add("Patient.ndjson", b"{}\n")
    files.checkpoint()
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in files.finish()] == ["Patient.ndjson"]
    assert everything(tmp_path) == {"Patient.ndjson": b"{}\n"}


@settings(deadline=None, max_examples=30)
@given(ADDITIONS, st.integers(0, 30), st.sampled_from(["none", "gzip", "zstd"]), st.sampled_from([None, 120]))
def test_an_interrupted_and_resumed_run_gives_the_bytes_of_an_undisturbed_one(
    tmp_path_factory, additions, cut, compression, part_size
):
    whole, broken = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("broken")
    kind = {"compression": compression, "part_size": part_size}
    files = GrowingFiles(whole, **kind)
    write(files, additions)
    files.finish()

    first = GrowingFiles(broken, **kind)
    state, at = write(first, additions, stop=min(cut, len(additions)))
    for each in first._open.values():  # the process is gone; what it had not brought to the disk may be there in part
        each.stream.write(b"half a li")
        each.stream.close()
    second = GrowingFiles(broken, **kind, state=state or {})
    write(second, additions, start=at)
    second.finish()
    assert everything(broken) == everything(whole)


def test_parts_hold_whole_lines_and_are_numbered(tmp_path):
    files = GrowingFiles(tmp_path, part_size=100)
    for place in range(10):
        files.add("Observation.ndjson", line(place, 40))
    names = [path.name for path in files.finish()]
    assert names == [f"Observation.{number:04d}.ndjson" for number in range(1, len(names) + 1)]
    assert b"".join((tmp_path / name).read_bytes() for name in names) == b"".join(line(each, 40) for each in range(10))


def test_packed_members_read_as_one_file(tmp_path):
    files = GrowingFiles(tmp_path, compression="gzip")
    for place in range(3):
        files.add("Patient.ndjson", line(place, 5))
        files.checkpoint()
    (path,) = files.finish()
    assert gzip.decompress(path.read_bytes()) == b"".join(line(each, 5) for each in range(3))


def test_an_output_that_was_taken_away_cannot_be_resumed(tmp_path):
    files = GrowingFiles(tmp_path)
    files.add("Patient.ndjson", b"{}\n")
    state = files.checkpoint()
    next(tmp_path.glob(".*")).unlink()
    with pytest.raises(LostOutput, match="without --resume"):
        GrowingFiles(tmp_path, state=state)
