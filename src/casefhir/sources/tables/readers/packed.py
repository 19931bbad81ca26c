"""Text tables that are packed (`labs.csv.gz`, `.csv.zip`, `.csv.zst`), read as they are unpacked, block by block."""

import gzip
import io
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from casefhir.extras import needed
from casefhir.sources.tables.rows import TableError

TEXT = (".csv", ".tsv", ".tab", ".txt")
PACKED = (".gz", ".zip", ".zst")
_RATIO, _SMALL = 500, 1 << 26
"""A file that unpacks to more than so many times its size, and to more than so many bytes, is refused."""
_BESIDE = "__MACOSX/"
_DAMAGED = (EOFError, OSError, ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def is_packed(path: Path) -> bool:
    """Whether it is a text table that has to be unpacked."""
    return path.suffix.lower() in PACKED and path.with_suffix("").suffix.lower() in TEXT


def bare(path: Path) -> Path:
    """`path` without the ending that says it is packed: `labs.csv` of `labs.csv.gz`."""
    return path.with_suffix("") if is_packed(path) else path


def kind(path: Path) -> str:
    """The ending that says what is in a file, in small letters: `.csv` of `labs.CSV.gz` too."""
    return bare(path).suffix.lower()


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file as a reader of text wants them, unpacked if it is packed. Raises `TableError` for a file that
    cannot be unpacked, here or while it is read.
    """
    if not is_packed(path):
        return path.open("rb")
    try:
        inner = _opener(path)
    except _DAMAGED as error:
        raise _damaged(path, error) from error
    return io.BufferedReader(_Unpacked(path, inner), 1 << 16)


def _opener(path: Path) -> IO[bytes]:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if suffix == ".zip":
        return _only_one(path)
    arrow = needed("pyarrow", "tables", "Reading tables packed by zstd")
    return cast(IO[bytes], arrow.CompressedInputStream(arrow.OSFile(str(path)), "zstd"))  # tells a file that was cut


def _only_one(path: Path) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith(_BESIDE)]
    if len(members) == 1 and not members[0].flag_bits & 1:
        return archive.open(members[0])  # which holds the archive open until it is closed
    archive.close()
    if len(members) == 1:
        raise TableError(f"{path.name}: It is packed with a password; unpack it first.")
    raise TableError(f"{path.name}: It holds {len(members)} files; a packed table is one file. Unpack it first.")


class _Unpacked(io.RawIOBase):
    """What is unpacked, as far as it is asked for."""

    def __init__(self, path: Path, inner: IO[bytes]) -> None:
        self._path, self._inner = path, inner
        self._most = max(_SMALL, _RATIO * path.stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except _DAMAGED as error:
            raise _damaged(self._path, error) from error
        self._read += len(data)
        if self._read > self._most:
            raise TableError(
                f"{self._path.name}: It unpacks to more than {_RATIO} times its size; this is no table. Unpack it "
                f"first, if it is one."
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        with suppress(OSError):
            self._inner.close()
        super().close()


def _damaged(path: Path, error: BaseException) -> TableError:
    said = str(error) or "it ends too early"
    return TableError(f"{path.name}: The file cannot be unpacked ({said}); pack it anew.")
