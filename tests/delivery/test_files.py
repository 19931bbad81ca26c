"""Output files: whole or not there, the same bytes whatever happened on the way and whoever wrote which block."""

import gzip
import os
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.delivery.files import GrowingFiles, LostOutput, NotWritten, Place, Size, packed, sync, write_at
from tests.thorough import examples

NAMES = ("Patient.ndjson", "Observation.ndjson", "index/resources.ndjson", "rejects/lb.csv")
PIECES = st.lists(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 60), min_size=1), max_size=15)


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def line(number, width):
    return f"{number:06d}{'x' * width}\n".encode()


def head(name):
    return b"a,b\r\n" if name.endswith(".csv") else b""


def add(files, *pieces):
    """Allots every piece its places in order; then its blocks are written in any order."""
    blocks = []
    for lines in pieces:
        made = {name: packed(name, each, files.compression) for name, each in lines.items()}
        places = files.allot({name: Size(len(lines[name]), len(block)) for name, block in made.items()})
        blocks += [(places[name], block) for name, block in made.items()]
    random.Random(len(blocks)).shuffle(blocks)
    for place, block in blocks:
        write_at(place, block)
    return blocks


def test_nothing_is_to_be_seen_before_the_end(tmp_path):
    files = GrowingFiles(tmp_path)
    add(files, {"Patient.ndjson": b"{}\n"})
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in files.finish()] == ["Patient.ndjson"]
    assert everything(tmp_path) == {"Patient.ndjson": b"{}\n"}


@examples(30)
@given(
    PIECES,
    st.integers(0, 15),
    st.integers(0, 15),
    st.sampled_from(["none", "gzip", "zstd"]),
    st.sampled_from([None, 120]),
)
def test_an_interrupted_and_resumed_run_gives_the_bytes_of_an_undisturbed_one(
    tmp_path_factory, pieces, cut, more, compression, part_size
):
    whole, broken = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("broken")
    kind = {"compression": compression, "part_size": part_size, "head": head}
    told = [{name: line(place, width) for name, width in each.items()} for place, each in enumerate(pieces)]
    files = GrowingFiles(whole, **kind)
    add(files, *told)
    files.finish()

    first = GrowingFiles(broken, **kind)
    add(first, *told[:cut])
    state = first.state
    for place, block in add(first, *told[cut : cut + more]):  # of these, only a part is there when the processes end
        os.truncate(place.path, place.at + len(block) // 2)
    second = GrowingFiles(broken, **kind, state=state)
    add(second, *told[cut:])
    second.finish()
    assert everything(broken) == everything(whole)


def test_parts_hold_whole_lines_and_are_numbered(tmp_path):
    files = GrowingFiles(tmp_path, part_size=100)
    add(files, *({"Observation.ndjson": line(place, 40)} for place in range(10)))
    names = [path.name for path in files.finish()]
    assert names == [f"Observation.{number:04d}.ndjson" for number in range(1, len(names) + 1)]
    assert len(names) > 2
    assert b"".join((tmp_path / name).read_bytes() for name in names) == b"".join(line(each, 40) for each in range(10))


def test_packed_blocks_read_as_one_file(tmp_path):
    files = GrowingFiles(tmp_path, compression="gzip")
    add(files, *({"Patient.ndjson": line(place, 5)} for place in range(3)))
    (path,) = files.finish()
    assert gzip.decompress(path.read_bytes()) == b"".join(line(each, 5) for each in range(3))


def test_only_lines_of_json_are_packed(tmp_path):
    files = GrowingFiles(tmp_path, compression="gzip", head=head)
    add(files, {"rejects/lb.csv": b"1,2\r\n"})
    assert [path.read_bytes() for path in files.finish()] == [b"a,b\r\n1,2\r\n"]


def test_what_a_run_left_that_is_not_gone_on_with_is_taken_out(tmp_path):
    add(GrowingFiles(tmp_path), {"Patient.ndjson": b"{}\n", "rejects/lb.csv": b"1\r\n"})
    GrowingFiles(tmp_path)
    assert everything(tmp_path) == {}


def test_an_output_that_was_taken_away_cannot_be_resumed(tmp_path):
    files = GrowingFiles(tmp_path)
    add(files, {"Patient.ndjson": b"{}\n"})
    next(tmp_path.glob(".*")).unlink()
    with pytest.raises(LostOutput, match="without --resume"):
        GrowingFiles(tmp_path, state=files.state)


@pytest.mark.skipif(sys.platform != "linux", reason="the disk that is always full is Linux's")
def test_a_full_disk_is_told_with_the_file_and_what_to_do(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(NotWritten, match=r"full: .* \(No space left on device\).*--resume"):
        write_at(Place(str(tmp_path / "full"), 0), b"{}\n")


def test_a_file_that_is_gone_is_told(tmp_path):
    with pytest.raises(NotWritten, match="away"):
        sync([str(tmp_path / "away")])
