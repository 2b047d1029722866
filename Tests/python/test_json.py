"""JSON texts from outside are read as Python reads them, refused where they are none, and never slowly.

An annotator document takes any members, so that one image packed with it shows how a text was read:
the shard holds it again in canonical form.
"""

import json

import h5py
import numpy as np
import oracle
import pytest
from conftest import pack, verify
from shard_writer import canonical, seal, two_shards, write_dataset

READ = {
    "numbers": "[0, -0, 7, -12, 0.5, -1.25e-3, 1E2, 2e+1, 9007199254740991, -9223372036854775808, 1e-300]",
    "escapes": r'"\" \\ \/ \b\f\n\r\t \u0000 \u001f \u00e9 \ud83d\ude00 \u2028"',
    "text": '"é 😀 \u007f / ’"',
    "spaces": ' \t\r\n { "b" : [ ] , "a" : { } , "" : null , "é" : [ true , false ] } \n',
    "order": '{"b":1,"a":2,"B":3,"é":4,"z":5,"aa":6,"😀":7,"\uff01":8}',
    "64 deep": "[" * 62 + "]" * 62,
}

REFUSED = {
    "nothing": "", "word": "nul", "capital": "True", "two": "1 2", "comma": "[1,]", "no comma": "[1 2]",
    "leading comma": "[,1]", "open array": "[1", "open object": '{"a":1', "no colon": '{"a" 1}',
    "no value": '{"a":}', "bare name": "{a:1}", "comma in object": '{"a":1,}', "plus": "+1", "bare point": ".5",
    "leading zero": "01", "no digit": "1.", "no exponent": "1e", "minus": "-", "NaN": "NaN", "infinity": "-Infinity",
    "too large": "1e999", "hexadecimal": "0x1", "open string": '"a', "line break": '"a\nb"', "escape": r'"\x41"',
    "cut escape": r'"\u00e"', "signed escape": r'"\u+0e9"', "lone high": r'"\ud83d"', "lone low": r'"\ude00"',
    "high and not low": r'"\ud83d\u0041"', "twice": '{"a":1,"\\u0061":2}', "comment": "[1] // x",
    "65 deep": "[" * 64 + "]" * 64,
}


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    oracle.make_tree(folder, ["a"], np.random.default_rng(1))
    return folder


def packed(maps, folder, text):
    """Packs with an annotator document that has the text as a member."""
    document = folder / "annotator.json"
    document.write_bytes(b'{"name":"x","member":' + text.encode() + b"}")
    return pack(maps, "--output", folder / "d", "--annotator", document)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in READ.items()])
def test_texts_are_read(text, maps, tmp_path):
    result = packed(maps, tmp_path, text)
    assert result.returncode == 0, result.stderr
    with h5py.File(tmp_path / "d/labels-00000.h5") as file:
        metadata = file.attrs["metadata_0000"]
    annotator = {"name": "x", "member": json.loads(text)}
    assert bytes(metadata) == canonical({"annotator": annotator, "classes": None})


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in REFUSED.items()])
def test_texts_are_refused(text, maps, tmp_path):
    result = packed(maps, tmp_path, text)
    assert result.returncode == 64
    assert "JSON document" in result.stderr and str(tmp_path / "annotator.json") in result.stderr


def test_a_document_that_fits_no_shard(maps, tmp_path):
    """The metadata document has one more level around it."""
    result = packed(maps, tmp_path, "[" * 63 + "]" * 63)
    assert result.returncode == 64 and "nests deeper than 63" in result.stderr


BROKEN = {
    "half a character": b'"\xc3"', "overlong": b'"\xc0\xaf"', "surrogate": b'"\xed\xa0\x80"',
    "brackets": b"[" * 1_000_000, "nested arrays": b"[" + b",".join([b"[" * 500 + b"]" * 500] * 1000) + b"]",
    "nested objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
}


@pytest.mark.parametrize("member", [pytest.param(text, id=name) for name, text in BROKEN.items()])
def test_an_index_of_such_a_text_is_refused(member, tmp_path):
    """With a digest that is right; a megabyte of brackets once took many minutes."""
    folder = write_dataset(tmp_path / "d", *two_shards())
    document = json.loads((folder / "index.json").read_bytes())
    del document["sha256"]
    text = canonical(document | {"zzz": 0}).replace(b'"zzz":0', b'"zzz":' + member)
    (folder / "index.json").write_bytes(seal(text))
    code, report = verify(folder, timeout=20)
    assert code == 5 and "M002" in {finding["rule"] for finding in report["findings"]}
