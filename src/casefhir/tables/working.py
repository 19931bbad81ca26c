"""What a process does with each of its pieces of the tables: reads, converts and packs it, and writes it in place."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from casefhir.delivery.files import Place, Size, packed, write_at, writing
from casefhir.sources.tables.grouping import Grouping, Piece
from casefhir.sources.tables.rows import Sheet
from casefhir.tables.bundle_list import bundle_files, listing
from casefhir.tables.making import Chunk, Made, Maker
from casefhir.tables.rejects import Rejected, context_lines, reject_lines, reject_name
from casefhir.tables.solitude import hold
from casefhir.tables.tally import Tally
from casefhir.whole_file import write_file


@dataclass(frozen=True, slots=True)
class Told:
    """What the parent has to know of a piece: how large its blocks are, by the names of their files, and its sums."""

    sizes: dict[str, Size]
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Held:
    blocks: dict[str, bytes]
    bundles: dict[str, tuple[bytes, bytes]]


class Work:
    """Converts pieces for a run into the folder `out`; one a process, with the `Maker` that `make` gives.

    What a piece becomes is held here until `settle` is told where it belongs. `apart`: in a process of its own.
    """

    def __init__(self, make: Callable[[], Maker], grouped: Grouping, out: Path, apart: bool) -> None:
        self._lock = hold(out) if apart else None
        self._maker = make()
        self._grouped = grouped
        self._out = out
        self._held: deque[_Held] = deque()

    def __call__(self, piece: Piece) -> Told:
        """The sizes and sums of what the piece becomes; raises as `Maker` does, and `TableError` where the tables
        cannot be read on.
        """
        refused: list[Rejected] = []
        persons = tuple(self._grouped.persons(piece, lambda *told: refused.append(Rejected(*told))))
        made = self._maker(Chunk(persons, tuple(refused)))
        blocks, sizes = {}, {}
        for name, lines in _lines(made, self._maker.sheets).items():
            block = blocks[name] = packed(name, lines, self._maker.options.compression)
            sizes[name] = Size(len(lines), len(block))
        self._held.append(_Held(blocks, made.bundles))
        return Told(sizes, made.tally)

    def settle(self, places: Mapping[str, Place]) -> None:
        """Write what the first of the pieces held became, each block at its place; raises `NotWritten`."""
        held = self._held.popleft()
        for name, place in places.items():
            write_at(place, held.blocks[name])
        with writing():
            for key, (bundle, index) in held.bundles.items():
                for path, data in zip(bundle_files(self._out, key), (bundle, index)):
                    write_file(path, data)


def _lines(made: Made, sheets: Mapping[str, Sheet]) -> dict[str, bytes]:
    """All lines that were made, by the names of their files."""
    rejects: dict[str, list[Rejected]] = {}
    for each in made.rejects:
        rejects.setdefault(each.table, []).append(each)
    return (
        made.lines
        | {reject_name(table): reject_lines(sheets[table], rejected) for table, rejected in rejects.items()}
        | {reject_name(table, context=True): context_lines(rows) for table, rows in made.context.items()}
        | listing(made.bundles)
    )
