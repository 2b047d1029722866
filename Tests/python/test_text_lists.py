"""Lists that editors and spreadsheets of any system wrote are read alike by every option that takes one."""

import numpy as np
import oracle
import pytest
from conftest import pack, tool
from running import packed, same

KEYS = ["n0/a", "n0/b b", "n1/c", "n2/é"]
LINES = [f"{key}.png" for key in reversed(KEYS)]
CLASSES = [f"c{number:04d}\tname, of {number}" for number in range(1000)]


def plain(lines):
    return "".join(line + "\n" for line in lines).encode()


def quoted(lines):
    """Every field in quotes, as a spreadsheet writes it."""
    return plain("\t".join(f'"{field}"' for field in line.split("\t")) for line in lines)


SPELLINGS = {
    "crlf": lambda lines: plain(lines).replace(b"\n", b"\r\n"),
    "cr": lambda lines: plain(lines).replace(b"\n", b"\r"),
    "mark": lambda lines: b"\xef\xbb\xbf" + plain(lines),
    "mark-and-crlf": lambda lines: b"\xef\xbb\xbf" + plain(lines).replace(b"\n", b"\r\n"),
    "no-last-end": lambda lines: plain(lines)[:-1],
    "blank-end": lambda lines: plain(lines) + b"\n \t\n\r\n",
    "trailing-blanks": lambda lines: plain(lines).replace(b"\n", b" \t\n"),
    "quotes": quoted,
    "quotes-and-crlf": lambda lines: quoted(lines).replace(b"\n", b"\r\n"),
}


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    oracle.make_tree(folder / "maps", KEYS, np.random.default_rng(5))
    (folder / "classes.tsv").write_bytes(plain(CLASSES))
    (folder / "images.txt").write_bytes(plain(LINES))
    packed(folder / "maps", "-o", folder / "plain",
           "--classes", folder / "classes.tsv", "--images", folder / "images.txt")  # fmt: skip
    return folder


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_list_means_the_same_whatever_editor_saved_it(maps, tmp_path, name):
    spelling = SPELLINGS[name]
    (tmp_path / "classes.tsv").write_bytes(spelling(CLASSES))
    (tmp_path / "images.txt").write_bytes(spelling(LINES))
    packed(maps / "maps", "-o", tmp_path / "out",
           "--classes", tmp_path / "classes.tsv", "--images", tmp_path / "images.txt")  # fmt: skip
    same(tmp_path / "out", maps / "plain")


REFUSED = {
    "utf-16": ("n0/a.png\r\n".encode("utf-16"), "iconv -f UTF-16"),
    "utf-32": ("n0/a.png\n".encode("utf-32"), "UTF-32"),
    "utf-16-unmarked": ("n0/a.png\n".encode("utf-16-le"), "line 1 holds a null byte"),
    "blank-between": (b"n0/a\tx\r\n\r\nn0/b\ty\r\n", "line 2 is blank"),
    "latin-1": (b"n0/a\tx\r\nn0/\xe9\ty\r\n", "line 2 is not UTF-8"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
}


@pytest.mark.parametrize("option", ["--classes", "--images", "recover"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_is_refused_with_what_to_do(maps, tmp_path, name, option):
    content, words = REFUSED[name]
    (tmp_path / "list.txt").write_bytes(content)
    if option == "recover":
        result = tool("relabel", "recover", maps / "plain", "-o", tmp_path / "out", "--images", tmp_path / "list.txt")
    else:
        result = pack(maps / "maps", "-o", tmp_path / "out", option, tmp_path / "list.txt")
    assert result.returncode == 64, result.stderr
    assert words in result.stderr and "list.txt" in result.stderr
    assert not (tmp_path / "out" / "index.json").exists()
