"""How fast a workbook is opened, keyed and read, beside openpyxl and bare calamine on the same file.

    python bench/workbook.py [--rows N]

The work: one .xlsx of two sheets, N rows of results and a tenth of it of persons. Ours looks for stray cells, formulas
and too large parts, reads the rows as text with their numbers, and finds out how they are sorted. Each is measured in a
process of its own; ratios within one run hold.
"""

import argparse
import datetime as dt
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import python_calamine

from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.keys import keyed
from casefhir.sources.tables.mapping import Table

SHEETS = ("labs", "patients")


def made(path: Path, rows: int) -> None:
    """The workbook."""
    chance, book = random.Random(1), openpyxl.Workbook(write_only=True)
    labs, patients = (book.create_sheet(name) for name in SHEETS)
    labs.append(["patient_id", "date", "test", "result", "unit", "note"])
    for number in range(rows):
        date = dt.datetime(2020, 1, 1) + dt.timedelta(days=number % 900)
        result = round(chance.random() * 1000, 1)
        labs.append([f"P{number // 10:06d}", date, chance.choice(["CK", "CRP"]), result, "U/l", f"note {number}"])
    patients.append(["patient_id", "sex"])
    for number in range(rows // 10):
        patients.append([f"P{number:06d}", chance.choice("FM")])
    book.save(path)


def ours(path: Path) -> int:
    """Opened, keyed and read as a conversion does."""
    found = open_tables(Inputs([path]), {name: Table() for name in SHEETS})
    tables = [keyed(name, table, ["patient_id"]) for name, table in found.tables.items()]
    return sum(1 for table in tables for _ in table.read())


def by_openpyxl(path: Path) -> int:
    """Its rows, one after the other."""
    book = openpyxl.load_workbook(path, read_only=True)
    return sum(1 for name in SHEETS for _ in book[name].iter_rows(values_only=True)) - len(SHEETS)


def by_calamine(path: Path) -> int:
    """What all of ours is built on, without any check."""
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    return sum(1 for name in SHEETS for _ in book.get_sheet_by_name(name).iter_rows()) - len(SHEETS)


def _measure(
    work: Callable[[Path], int], path: Path, told: "multiprocessing.SimpleQueue[tuple[int, float, int]]"
) -> None:
    begun = time.perf_counter()
    rows = work(path)
    told.put((rows, time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    processes = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.xlsx"
        made(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.1f} MB\n")
        print("| reader | seconds | times ours | peak MB |\n|---|---|---|---|")
        first = 0.0
        for name, work in (("casefhir", ours), ("openpyxl, read only", by_openpyxl), ("calamine", by_calamine)):
            told = processes.SimpleQueue()
            process = processes.Process(target=_measure, args=(work, path, told))
            process.start()
            count, seconds, memory = told.get()
            process.join()
            assert count == rows + rows // 10, (name, count)
            first = first or seconds
            print(f"| {name} | {seconds:.2f} | {seconds / first:.2f} | {memory} |")


if __name__ == "__main__":
    main()
