"""`relabel-card`: what it writes, judged by the programs that read it, and what it refuses."""

import fcntl
import hashlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import cmarkgfm
import h5py
import numpy as np
import pyarrow.parquet
import pytest
import shard_writer
import yaml
from cmarkgfm.cmark import Options as GFM
from conftest import BIN, ROOT, SAMPLES, tool
from huggingface_hub import DatasetCard
from shard_writer import class_table

import relabel_hdf5
from relabel_hdf5 import UsageError, Writer
from relabel_hdf5.card import Stated, card
from relabel_hdf5.card.licences import address, hub_name
from relabel_hdf5.card.markdown import inline, note
from relabel_hdf5.card.place import NAMES, Place
from relabel_hdf5.card.words import human_size, size_category

ENVIRONMENT = {**os.environ, "RELABEL_BIN": str(BIN), "OMP_NUM_THREADS": "1"}
COMMAND = [sys.executable, "-m", "relabel_hdf5.card"]
FILES = ["README.md", "croissant.json", "preview.parquet"]
ALL = Stated(name="Maps of samples", published="2026-11-29", version="1.0.0", url="https://example.org/maps")
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) ![i](http://evil/i.png) `code` **bold** _em_ | cell "
    "http://evil www.evil.com <!-- --> {% x %} $x$ &lt; # \x1b[31m\u202e"
)
BLOCK = "```\n---\nlicense: mit\n---\n# heading\n<script>alert(1)</script>\n````\n- item\n\x1b[2J"
"""A text of several lines that wants out of whatever surrounds it."""


def run(*arguments, **environment):
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**ENVIRONMENT, **environment})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


def croissant_of(folder):
    """The dataset as the public validator reads it, and its warnings; errors are raised."""
    import mlcroissant

    found = mlcroissant.Dataset(folder / "croissant.json")
    assert not found.metadata.ctx.issues.errors
    return found, sorted(found.metadata.ctx.issues.warnings)


def rendered(text):
    """The card's body as GitHub renders it, raw HTML let through, so that any would show."""
    return cmarkgfm.github_flavored_markdown_to_html(text, GFM.CMARK_OPT_UNSAFE)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card") / "labels"
    return shard_writer.write_dataset(folder, *shard_writer.two_shards(optional=("source_label",)))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A dataset whose every text is another's."""
    names = [f"{place} {HOSTILE}" for place in range(9)] + ["---\nlicense: mit\n---"]
    table = class_table([{"id": f"<b>{place}|", "index": place, "name": name} for place, name in enumerate(names)])
    document = {
        "annotator": {"name": HOSTILE, "weights": BLOCK, "```": {"<b>": "```"}}, "classes": table,
        "licence": BLOCK, "citation": HOSTILE, "source": {"`````": BLOCK},
    }  # fmt: skip
    shards = shard_writer.two_shards(document=document, key_width=40, keys=[f"<img src=x>/'''\"\"\"\\{place} [a](b)" for place in range(5)])
    shards[1].keys = [f"$(rm)/{place}" for place in range(3)]
    folder = tmp_path_factory.mktemp("hostile") / "a [b](c) <i>: '\" #x\n---\n"
    return shard_writer.write_dataset(folder, *shards)


# ------------------------------------------------------------------------------------- what reads a card


def test_the_public_validator_reads_it(dataset, tmp_path):
    """But for what is not stated; and the records that it reads are those of the preview."""
    labels = tmp_path / "labels"
    shutil.copytree(dataset, labels)
    done = card(labels, stated=ALL)
    assert done.files == NAMES and done.output == str(labels) and names(labels)[:3] == ["README.md", "croissant.json", "index.json"]
    found, warnings = croissant_of(labels)
    assert len(warnings) == 1 and "citeAs" in warnings[0]  # which this dataset does not state
    records = list(found.records("preview"))
    table = pyarrow.parquet.read_table(labels / "preview.parquet").to_pylist()
    assert [record["preview/filename"].decode() for record in records] == [row["filename"] for row in table]
    assert [list(map(int, record["preview/label_indices"])) for record in records] == [row["label_indices"] for row in table]
    assert [record["preview/gt_index"] for record in records] == [row["gt_index"] for row in table]


def test_croissant_names_every_file_with_its_digest(dataset, tmp_path):
    card(dataset, tmp_path / "out", ALL)
    document = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert (document["name"], document["license"]) == ("Maps of samples", "https://spdx.org/licenses/CC0-1.0")
    assert (document["datePublished"], document["version"], document["url"]) == ("2026-11-29", "1.0.0", "https://example.org/maps")
    listed = {file["contentUrl"]: file for file in document["distribution"]}
    assert sorted(listed) == ["index.json", "labels-00000.h5", "labels-00001.h5", "preview.parquet"]
    for name, file in listed.items():
        path = (tmp_path / "out" if name == "preview.parquet" else dataset) / name
        content = path.read_bytes()
        assert (file["sha256"], file["contentSize"]) == (hashlib.sha256(content).hexdigest(), f"{len(content)} B")


def test_the_hub_reads_the_header(dataset, tmp_path):
    from datasets import load_dataset

    card(dataset, tmp_path / "out", ALL)
    found = DatasetCard.load(tmp_path / "out" / "README.md").data
    assert (found.pretty_name, found.license, found.size_categories) == ("Maps of samples", "cc0-1.0", ["n<1K"])
    assert found.task_categories == ["image-classification"] and "relabel-hdf5" in found.tags
    loaded = load_dataset(str(tmp_path / "out"), "preview", cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].num_rows == 8 and loaded["train"][0]["filename"] == "train/n0000"


def test_the_card_says_what_the_dataset_is(sample_dataset, tmp_path):
    card(sample_dataset, tmp_path / "out", ALL, options=None)
    text = (tmp_path / "out" / "README.md").read_text()
    page = html.unescape(re.sub("<[^>]*>", "", rendered(text)))
    for part in (
        "Label maps of 18 pictures in the ReLabel HDF5 format 1.0", "the 5 best of 1,000 classes",
        "efficientnet-lite0, fully convolutional, last stride dilated", "18 pictures of the Debian package",
        "goldfish, Carassius auratus", "and 980 more", "rows of the grid run down the picture",
        relabel_hdf5.open(sample_dataset).fingerprint, "the label maps and arrays: CC0-1.0", "Sangdoo Yun et al.",
        "where in the picture a class is", "1.0.0", "2026-11-29",
    ):  # fmt: skip
        assert part in page, part
    assert "only export.json" not in page and "Not stated" not in page
    # A free text is not guessed to be a licence.
    assert DatasetCard(text).data.license == "other"


def test_the_programs_of_a_card_run(sample_dataset, tmp_path):
    card(sample_dataset, tmp_path / "out", ALL, preview=False)
    text = (tmp_path / "out" / "README.md").read_text()
    (program,) = re.findall("^```python\n(.*?)^```", text, re.M | re.S)
    program = program.replace("path/to/pictures", str(SAMPLES / "images")).replace("path/to/this/dataset", str(sample_dataset))
    program = program.replace("224", "32").replace("256", "6").replace("num_workers=8", "num_workers=0")
    program += "\n    assert targets.shape == (6, 1000)"
    checking = f"import sys; sys.path.append({str(ROOT / 'tools' / 'checking')!r}); import torchvision_import\n"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", checking + program], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    (commands,) = re.findall("^```sh\n(.*?)^```", text, re.M | re.S)
    commands = commands.replace("path/to/this/dataset", str(sample_dataset)).replace("python -c", f"{sys.executable} -c")
    path = f"{BIN}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", commands], capture_output=True, text=True, env={**ENVIRONMENT, "PATH": path})
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == commands.splitlines()[-1].removeprefix("# ")


# ---------------------------------------------------------------------------------------- hostile texts


def test_hostile_texts_are_texts(hostile, tmp_path):
    done = card(hostile, tmp_path / "out")
    assert done.files == NAMES
    text = (tmp_path / "out" / "README.md").read_text()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    found = DatasetCard(text).data
    assert found.pretty_name == hostile.name.replace("\n", "\\n") and found.license == "other"
    header = yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.S)[1])
    assert list(header) == [
        "pretty_name", "license", "license_name", "license_link", "task_categories", "size_categories", "tags", "configs",
    ]  # fmt: skip
    page = rendered(re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.S))
    tags = set(re.findall(r"<(/?[a-z][a-z0-9]*)\b", page))
    assert {tag.strip("/") for tag in tags} == {
        "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "strong", "blockquote", "ul", "li",
    }  # fmt: skip
    assert len(re.findall("<h1>", page)) == 1 and len(re.findall("<h2>", page)) == 8 and len(re.findall("<strong>", page)) == 1
    assert page.count("<!--") == 1 and re.search(r"<!-- relabel-card sha256:[0-9a-f]{64} -->\s*\Z", page)
    words = html.unescape(page)
    shown = HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert words.count(shown) >= 10 and "\n---\nlicense: mit\n" in words
    classes = re.search(r"<h2>Classes</h2>.*?</table>", page, re.S)[0]
    assert classes.count("<tr>") == 11 and all(row.count("<td>") == 3 for row in classes.split("<tr>")[2:])


def test_hostile_texts_in_croissant(hostile, tmp_path):
    card(hostile, tmp_path / "out", Stated(published="2026-11-29", version="1"))
    found, warnings = croissant_of(tmp_path / "out")
    assert warnings == []
    document = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert document["name"] == hostile.name.replace("\n", "\\n")
    assert document["citeAs"] == HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert [record["preview/filename"].decode() for record in found.records("preview")] == list(relabel_hdf5.open(hostile).keys())


@pytest.mark.parametrize("text", [
    HOSTILE, "- item", "+ item", "= =", "12. item", "1) item", "# heading", "> quote", "| a | b |", "    code", "***", "a\nb", "~~~",
    "[x]: http://evil", "\\*", "a_b_c", "_a_", "&amp;", ":smile:", "[^1]", "<https://evil>", "`` ` ``", "---", "HTTPS://x",
])  # fmt: skip
def test_a_line_is_the_text_itself(text):
    """Wherever a line stands, GitHub's own renderer gives one paragraph, or one cell, with this text alone."""
    expected = text.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").replace("\n", "\\n").strip()
    for before, after in (("", ""), ("> ", ""), ("| a |\n|---|\n| ", " |"), ("# ", ""), ("see ", "")):
        page = rendered(f"{before}{inline(text)}{after}\n")
        page = re.sub(r"</?(p|blockquote|table|thead|tbody|tr|td|th|h1)>", "", page)
        assert "<" not in page, page
        assert html.unescape(page).strip().splitlines()[-1] == f"{'see ' if before == 'see ' else ''}{expected}"


def test_an_address_of_mail_is_a_link_to_itself():
    """GitHub makes it one of finished text: nothing else comes of it, and nothing else is such a link."""
    assert rendered(inline("x@evil.com")) == '<p><a href="mailto:x@evil.com">x@evil.com</a></p>\n'
    assert "<a" not in rendered(inline("https://x@evil www.x@evil mailto:x javascript:x"))


@pytest.mark.parametrize("text", [BLOCK, "a\n" + "`" * 40 + "\nb", "~~~\n```", "\n".join("`" * n for n in range(9)), "a\r\nb\n\n\n    c"])
def test_a_block_is_the_text_itself(text):
    page = rendered(note(text))
    (found,) = re.findall(r"\A<pre><code>(.*)\n</code></pre>\s*\Z", page, re.S)
    assert html.unescape(found) == text.strip().replace("\x1b", "\\x1b").replace("\r", "\\r")


def test_long_texts_are_cut_and_say_so(tmp_path):
    document = {"annotator": {"name": "x" * 5000}, "classes": None, "licence": "y\n" * 50_000, "citation": "z" * 100_000}
    folder = shard_writer.write_dataset(tmp_path / "labels", *shard_writer.two_shards(document=document))
    card(folder)
    text = (folder / "README.md").read_text()
    assert len(text) < 50_000 and "(4,800 characters more)" in text.replace("&#40;", "(") and text.count("characters more") == 3
    croissant_of(folder)


# ------------------------------------------------------------------------------------------ what is missing


def test_what_nobody_states_is_listed(tmp_path):
    shards = shard_writer.two_shards(document={"annotator": None, "classes": None}, attributes={"orientation": "unknown"})
    folder = shard_writer.write_dataset(tmp_path / "labels", *shards)
    found = run(folder)
    assert (found.returncode, found.stdout) == (0, f"{folder}: preview.parquet, croissant.json, README.md\n")
    assert [re.match(r"not stated: (.*?) \(", line)[1] for line in found.stderr.splitlines()] == [
        "the annotator", "the names of the classes", "where the pictures come from", "the licence", "the citation",
        "how the grids lie on the pictures", "the day of publication", "the version", "the page",
    ]  # fmt: skip
    text = (folder / "README.md").read_text()
    assert text.count("\n\nNot stated.\n") == 4 and "Their names are not stated" in text
    assert DatasetCard(text).data.license == "unknown" and 'profile="relabel"' in text
    _, warnings = croissant_of(folder)
    assert len(warnings) == 4
    found = run(folder, "--overwrite", "--no-preview", "--format", "json", "--version")
    assert found.stdout.strip() == relabel_hdf5.__version__
    found = run(folder, "--overwrite", "--no-preview", "--quiet", "--format", "json")
    document = json.loads(found.stdout)
    assert document["files"] == ["croissant.json", "README.md"] and len(document["missing"]) == 9
    assert names(folder) == ["README.md", "croissant.json", "index.json", "labels-00000.h5", "labels-00001.h5"]
    assert "recordSet" not in json.loads((folder / "croissant.json").read_text())
    croissant_of(folder)


@pytest.mark.parametrize(("text", "name", "page"), [
    ("CC0-1.0", "cc0-1.0", "https://spdx.org/licenses/CC0-1.0"), (" CC-BY-4.0\n", "cc-by-4.0", "https://spdx.org/licenses/CC-BY-4.0"),
    ("apache-2.0", "apache-2.0", "https://spdx.org/licenses/apache-2.0"), ("GPL-3.0-only", "gpl-3.0", None),
    ("ODbL-1.0", "odbl", None), ("the maps: CC0-1.0", None, "the maps: CC0-1.0"), ("", None, ""),
])  # fmt: skip
def test_licences(text, name, page):
    assert hub_name(text) == name
    assert page is None or address(text) == page


def test_sizes():
    assert [size_category(count) for count in (0, 999, 1000, 1_281_167, 10**12)] == ["n<1K", "n<1K", "1K<n<10K", "1M<n<10M", "n>1T"]
    assert [human_size(count) for count in (0, 999, 1000, 3_437_000_000, 10**15)] == ["0 B", "999 B", "1.0 kB", "3.4 GB", "1,000.0 TB"]


# ------------------------------------------------------------------------------------------------- views


def views(folder, mix):
    how = {"dialect": "example", "chain": ["crop", "resize", "flip"]}
    with Writer(folder, num_classes=10, score_kind="logit", top_k=3, views=how, view_size=224) as writer:
        for number in range(2):
            facts = {"mixup_lambda": 0.5} if mix else {}
            writer.add("n01/'\"\\a", np.ones((10, 1, 1), np.float32), view=number, box=(0, 0, 0.5, 0.5), flip=False, **facts)
    return folder


def test_a_card_of_views(tmp_path):
    folder = views(tmp_path / "views", mix=False)
    assert card(folder).preview_refused is None
    text = (folder / "README.md").read_text()
    assert "Labels of 2 views" in text and "one label for each of 1 pictures" in text
    (program,) = re.findall("^```python\n(.*?)^```", text, re.M | re.S)
    program = program.replace("path/to/this/dataset", str(folder))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.stdout.splitlines() == [f"{number} (0.0, 0.0, 0.5, 0.5) False (10,)" for number in range(2)], done.stderr


def test_views_that_no_preview_holds(tmp_path):
    """Pictures whose every view is mixed have no label of their own: the card says so and stands."""
    folder = views(tmp_path / "views", mix=True)
    found = run(folder)
    assert found.returncode == 0 and found.stdout == f"{folder}: croissant.json, README.md\n"
    (line,) = [line for line in found.stderr.splitlines() if line.startswith("no preview: ")]
    assert "shows another one, too" in line and "## Preview\n\nThere is none: " in (folder / "README.md").read_text()
    croissant_of(folder)


# ------------------------------------------------------------------------------------------- publishing


def test_nothing_is_overwritten_unasked(dataset, tmp_path):
    out = tmp_path / "out"
    card(dataset, out)
    before = contents(out)
    for name in FILES:
        (tmp_path / "one").mkdir(exist_ok=True)
        (tmp_path / "one" / name).write_bytes(before[name])
        with pytest.raises(UsageError, match=f"{name}: this is here already; .*--overwrite"):
            card(dataset, tmp_path / "one")
        (tmp_path / "one" / name).unlink()
    found = run(dataset, "-o", out)
    assert found.returncode == 64 and "this is here already" in found.stderr and contents(out) == before
    card(dataset, out, overwrite=True)
    assert contents(out) == before and names(out) == FILES  # the same dataset gives the same card


def test_what_is_not_ours_is_never_replaced(dataset, tmp_path):
    out = tmp_path / "out"
    card(dataset, out)
    for name, foreign in (
        ("README.md", b"# mine\n"), ("README.md", None), ("croissant.json", b"{}"), ("croissant.json", b"["), ("preview.parquet", b"PAR1"),
    ):  # fmt: skip
        kept = (out / name).read_bytes()
        # A word changed by hand is the user's own.
        (out / name).write_bytes(kept.replace(b"Not stated.", b"By me.") if foreign is None else foreign)
        before = contents(out)
        with pytest.raises(UsageError, match=f"{name}: relabel-card has not written this, or it was changed since"):
            card(dataset, out, overwrite=True)
        assert contents(out) == before and names(out) == FILES
        (out / name).write_bytes(kept)
    (out / "README.md").unlink()
    (out / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="not written this"):
        card(dataset, out, overwrite=True)
    assert not (tmp_path / "elsewhere").exists()


def test_places_that_will_not_do(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="this is no folder"):
        card(dataset, tmp_path / "file")
    with pytest.raises(UsageError, match="there is no such folder"):
        card(dataset, tmp_path / "no" / "out")
    with pytest.raises(UsageError, match="this is one shard, and a card describes a dataset"):
        card(dataset / "labels-00000.h5", tmp_path / "out")
    assert names(tmp_path) == ["file"]
    place = Place(tmp_path / "out", False)
    with place.begun(), pytest.raises(UsageError, match="another card is being written here"):
        card(dataset, tmp_path / "out")
    assert names(tmp_path) == ["file"]


def test_a_failure_leaves_nothing(tmp_path):
    folder = shard_writer.write_dataset(tmp_path / "labels", *shard_writer.two_shards())
    before = names(folder)
    with h5py.File(folder / "labels-00001.h5") as file:
        place = file["score"].id.get_chunk_info(0).byte_offset
    content = bytearray((folder / "labels-00001.h5").read_bytes())
    content[place] ^= 255
    (folder / "labels-00001.h5").write_bytes(content)
    found = run(folder)
    assert found.returncode == 5 and "labels-00001.h5" in found.stderr and names(folder) == before
    found = run(folder, "-o", tmp_path / "out", "--format", "json")
    assert json.loads(found.stdout)["status"] == 5 and names(tmp_path) == ["labels"]


def test_a_killed_run_leaves_no_card(dataset, tmp_path):
    """Whatever it has left, the next run clears up; README.md, which makes a card, comes last."""
    out = tmp_path / "out"
    program = f"""
import os, signal
from relabel_hdf5.card import card, place
rename = os.rename
def killed(one, other):
    if str(other).endswith("README.md"):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(one, other)
place.os.rename = killed
card({str(dataset)!r}, {str(out)!r})
"""
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT)
    assert done.returncode == -signal.SIGKILL
    assert names(out) == [".relabel-card.partial", "croissant.json", "preview.parquet"]
    kept = (out / "croissant.json").read_bytes()
    (out / "croissant.json").write_text("{}")
    with pytest.raises(UsageError, match="has not written this"):
        card(dataset, out)
    (out / "croissant.json").write_bytes(kept)
    card(dataset, out)
    assert names(out) == FILES


def test_a_claim_is_that_of_a_living_program(dataset, tmp_path):
    partial = tmp_path / "out" / ".relabel-card.partial"
    partial.mkdir(parents=True)
    (partial / "README.md").write_text("left")
    number = os.open(partial, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match="another card"):
        card(dataset, tmp_path / "out")
    os.close(number)
    card(dataset, tmp_path / "out")
    assert names(tmp_path / "out") == FILES


# ---------------------------------------------------------------------------------------------- command


@pytest.mark.parametrize(("arguments", "text"), [
    (["--published", "yesterday"], "it is a day such as 2026-11-29"), (["--published", "20261129"], "it is a day"),
    (["--dataset-version", "a b"], "it is a version such as"), (["--url", "javascript:x"], "it begins with https://"),
    (["--name", " "], "the name of the dataset is empty"), (["--threshold", "2"], "a probability above 0"),
    (["--rule", "none"], "invalid choice"), ([], "the following arguments are required: PATH"),
])  # fmt: skip
def test_usage(arguments, text, dataset):
    found = run(*([dataset] if arguments else []), *arguments)
    assert found.returncode == 64 and text in found.stderr and names(dataset) == ["index.json", "labels-00000.h5", "labels-00001.h5"]


def test_the_missing_extra_is_named(dataset, tmp_path):
    program = "import sys; sys.modules['yaml'] = None; from relabel_hdf5.card.command import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, str(dataset), "-o", str(tmp_path / "out")]
    found = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert found.returncode == 64 and "pip install 'relabel-hdf5[card]'" in found.stderr and names(tmp_path) == []


def test_relabel_card_is_the_same_command(dataset, tmp_path):
    """`relabel card` hands everything over, and says where to get what it needs."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "relabel-card"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel_hdf5.card "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    found = tool("relabel", "card", dataset, "-o", tmp_path / "out", env={**ENVIRONMENT, "PATH": path})
    assert (found.returncode, found.stdout) == (0, f"{tmp_path / 'out'}: preview.parquet, croissant.json, README.md\n"), found.stderr
    missing = tool("relabel", "card", dataset, env={**ENVIRONMENT, "PATH": "/nowhere"})
    assert missing.returncode == 64 and "pip install 'relabel-hdf5[card]'" in missing.stderr
