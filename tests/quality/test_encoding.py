import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import EncodingError, FormatError, NotFoundError
from mercer.quality.encoding import MARK, blocks, detect, shown

CHINESE = "编号,标题,价格\n1,轻奢纯棉刺绣水洗四件套,899\n2,秋冬保暖加厚澳洲羊毛被,459\n3,日式和风懒人沙发,599\n"
FRENCH = "id,title,price\n1,Théière en céramique émaillée,29\n2,Nappe brodée à la main,39\n3,Crème brûlée,9\n"
GERMAN = "id;titel;preis\n1;Größe für Füße;12,50\n2;Straßenschuh größer;99,00\n3;ÄÖÜ;1\n"


def write(folder: Path, data: bytes, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("text", "codec", "said"),
    [
        (CHINESE, "utf-8", "UTF-8"),
        (CHINESE, "utf-8-sig", "UTF-8 with BOM"),
        (CHINESE, "utf-16", "UTF-16"),
        (CHINESE, "gb18030", "GB18030"),
        (FRENCH, "latin-1", "Latin-1"),
        (GERMAN, "latin-1", "Latin-1"),
        ("id,price\n1,£5\n2,£40.00\n", "latin-1", "Latin-1"),
        ("id,price\n1,€5\n2,“quoted”\n", "cp1252", "CP1252"),
        ("id,title\n1,plain\n", "ascii", "UTF-8"),
    ],
)
def test_encoding_is_found_and_the_text_comes_back(tmp_path: Path, text: str, codec: str, said: str) -> None:
    path = write(tmp_path, text.encode(codec))
    found = detect(path)
    assert found.name == said
    assert b"".join(blocks(path, found)).decode() == text


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30))
def test_any_utf8_is_utf8(tmp_path_factory: pytest.TempPathFactory, word: str) -> None:
    path = write(tmp_path_factory.mktemp("u"), f"id,title\n1,{word}\n".encode())
    assert detect(path).name == "UTF-8"


def test_a_few_bad_bytes_leave_the_file_utf8_and_are_marked(tmp_path: Path) -> None:
    path = write(tmp_path, "a,é\nb,é\nc,é\n".encode() + b"d,\xe9\xff\n")
    found = detect(path)
    assert (found.name, found.marked) == ("UTF-8", True)
    last = b"".join(blocks(path, found)).decode().splitlines()[-1]
    assert last == f"d,{MARK}e9{MARK}ff"
    assert shown(last) == r"d,\xe9\xff"


def test_a_last_line_without_an_end_gets_one(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b\n1,2")
    assert list(blocks(path, detect(path))) == [b"a,b\n", b"1,2\n"]


def test_old_mac_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b\r1,2\r")
    assert b"".join(blocks(path, detect(path))) == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
        (b"PK\x03\x04" + bytes(200), "Excel"),
        (bytes(range(256)) * 50, "control bytes"),
        ("id,title\n1,x\n".encode("utf-16-le"), "NUL"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, word: str) -> None:
    with pytest.raises(EncodingError, match=word) as caught:
        detect(write(tmp_path, data))
    assert caught.value.cure


def test_files_that_are_not_there_or_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not there"):
        detect(tmp_path / "none.csv")
    with pytest.raises(FormatError, match="folder"):
        detect(tmp_path)
    with pytest.raises(FormatError, match="0 bytes"):
        detect(write(tmp_path, b""))
    with pytest.raises(FormatError, match="unpacked"):
        detect(write(tmp_path, gzip.compress(b""), "f.csv.gz"))


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-6] + b"\0" * 6])
def test_damaged_gzip(tmp_path: Path, damage: object) -> None:
    data = gzip.compress("\n".join(f"{i},{i * 7919 % 1000}" for i in range(5000)).encode())
    with pytest.raises(FormatError, match="gzip"):
        detect(write(tmp_path, damage(data), "f.csv.gz"))  # type: ignore[operator]
