"""Tables that are not UTF-8: the few cells beyond ASCII in thousands of rows tell in which encoding they are."""

import random
from pathlib import Path

import pytest

from casefhir.sources.tables.readers.encodings import guessed
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.rows import TableError

WORDS = {
    "cp1252": "Müller größer Fièvre élevé µg/l µmol/l °C m² Señor Übelkeit naïve Œdème ±2 Ödem Ängström smørbrød",
    "cp1250": "Łódź gorączka świąd głowy zażółć žena kašel",
    "cp1251": "лихорадка Иванов боль отёк мужской сыпь",
    "cp1253": "πυρετός Παπαδόπουλος άνδρας",
    "cp1254": "ateş Yıldız kadın ağrısı şiddetli",
    "shift_jis": "発熱 田中 頭痛 男性",
    "gb18030": "发热 头痛 皮疹 男性",
    "mac_roman": "Müller Fièvre élevé",
    "cp850": "Fièvre élevé Übelkeit",
}


def table(words: list[str], rows: int, draw: random.Random) -> str:
    lines = [f"P{each // 5},{each},2012-01-1{each % 9},CK,{each}.0,U/l,haemolysed" for each in range(rows)]
    for word in words:
        lines.insert(draw.randrange(len(lines)), f"P1,x,2012-01-01,Test,5,mg/l,{word}")
    return "\n".join(["id,no,date,test,value,unit,note", *lines]) + "\n"


@pytest.mark.parametrize("rows", [5, 3000])
@pytest.mark.parametrize("encoding", WORDS)
def test_a_few_words_of_a_language_tell_its_encoding(encoding: str, rows: int) -> None:
    words, draw = WORDS[encoding].split(), random.Random(rows)
    for _ in range(5):
        text = table(draw.choices(words, k=8), rows, draw)
        data = text.encode(encoding)
        found = guessed(data)
        assert found is not None
        assert data.decode(found) == text


@pytest.mark.parametrize("word", WORDS["cp1252"].split())
def test_one_word_of_western_europe_is_read_right(word: str) -> None:
    data = table([word], 3000, random.Random(1)).encode("cp1252")
    found = guessed(data)
    assert found is not None
    assert word in data.decode(found)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_sixteen_bits_a_letter_are_seen_without_a_mark(encoding: str) -> None:
    text = table(["Übelkeit"], 50, random.Random(1))
    found = guessed(text.encode(encoding))
    assert found is not None
    assert text.encode(encoding).decode(found) == text


def test_what_is_no_text_has_no_encoding() -> None:
    assert guessed(random.Random(1).randbytes(100_000)) is None
    assert guessed(bytes(1000)) is None


def test_a_file_that_is_utf_8_but_for_a_byte_is_refused_not_read_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,name\n1,Müller\n2,Ödem\n".encode() + b"3,Stra\xdfe\n")
    with pytest.raises(TableError, match=r"t\.csv: The bytes are UTF-8, but for some, the first of them at byte 32 "):
        TextTable(path)
    path.write_bytes(b"id,name\n" + "1,Müller\n".encode() * 50_000 + b"3,Stra\xdfe\n")  # far behind what is looked at
    with pytest.raises(TableError, match="but for some"):
        TextTable(path)
