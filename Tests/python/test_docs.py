"""Every command and example of the documents runs as written."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import BIN, ROOT, SAMPLES

from relabel_hdf5.exporting.image_labels import RULES
from relabel_hdf5.exporting.targets import TARGETS

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "samples" / "README.md",
    ROOT / "samples" / "readers" / "README.md",
    ROOT / "tools" / "README.md",
    ROOT / "tools" / "python" / "README.md",
    ROOT / "spec" / "annotate.md",
    ROOT / "spec" / "export.md",
    ROOT / "spec" / "card.md",
    ROOT / "spec" / "see.md",
    ROOT / "spec" / "write-a-dataset.md",
    ROOT / "spec" / "write-a-reader.md",
    ROOT / "spec" / "write-views.md",
]
SET_UP = {"tools/quickstart", "tools/test"}


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.M | re.S)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder that looks like the repository's root, with the samples packed."""
    folder = look_like_root(tmp_path_factory.mktemp("docs"))
    packed = shell(
        "relabel-pack samples/maps --output dataset --orientation yx --classes samples/classes.tsv", folder
    )
    assert packed.returncode == 0, packed.stderr
    (writing,) = (text for text in blocks(ROOT / "tools" / "python" / "README.md", "python") if 'Writer("views"' in text)
    environment = {**os.environ, "RELABEL_BIN": str(BIN)}
    subprocess.run([sys.executable, "-c", writing], cwd=folder, check=True, env=environment)
    return folder


def look_like_root(folder):
    for name in ("samples", "Sources", "spec"):
        (folder / name).symlink_to(ROOT / name)
    # A copy: installing leaves files beside the sources.
    leftovers = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "tools" / "python", folder / "tools" / "python", ignore=leftovers)
    (folder / ".build").mkdir()
    (folder / ".build" / "release").symlink_to(BIN)
    return folder


def shell(script, folder):
    # Installing is tried, but not into the environment that runs the tests.
    pip = folder / "bin" / "pip"
    pip.parent.mkdir(exist_ok=True)
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@" --no-deps --target "{folder}/installed"\n')
    pip.chmod(0o755)
    path = [pip.parent, BIN, os.path.dirname(sys.executable), os.environ["PATH"]]
    environment = {**os.environ, "PATH": ":".join(map(str, path))}
    return subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if blocks(d, "sh")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_commands(document, tmp_path):
    """All shell blocks of a document, in order, in one folder."""
    look_like_root(tmp_path)
    commands = [block for block in blocks(document, "sh") if block.strip() not in SET_UP]
    assert commands
    for command in commands:
        result = shell(command, tmp_path)
        assert result.returncode == 0, (command, result.stdout, result.stderr)


PYTHON = [
    (document, number, example)
    for document in DOCUMENTS
    if document.name != "write-a-reader.md"  # its program takes arguments: see test_readers.py
    for number, example in enumerate(blocks(document, "python"))
]


@pytest.mark.parametrize(
    "document, number, example", PYTHON, ids=[f"{d.relative_to(ROOT)}-{n}" for d, n, _ in PYTHON]
)
def test_python_example(document, number, example, workplace):
    """Every Python block runs by itself on the dataset that the README packs."""
    program = "import torchvision_import\n" + example  # for those that import torchvision
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools" / "checking")}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=workplace, capture_output=True, text=True,
        env=environment,
    )
    assert result.returncode == 0, result.stderr


def test_views_by_hand(tmp_path):
    """A shard of views that h5py alone writes in at most sixty lines is sound."""
    example = blocks(ROOT / "spec" / "write-views.md", "python")[-1]
    assert len([line for line in example.splitlines() if line.strip()]) <= 60
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)
    found = subprocess.run([BIN / "relabel-verify", "views.h5"], cwd=tmp_path, capture_output=True, text=True)
    assert (found.returncode, "sound: 1 shard, 6 images" in found.stdout) == (0, True), found.stdout


def test_training_example_is_short():
    """From imports to a training step in at most twelve lines, and it trains."""
    example = next(e for d, _, e in PYTHON if d == ROOT / "README.md" and "optimizer.step()" in e)
    assert len([line for line in example.splitlines() if line.strip()]) <= 12


def test_shown_output(tmp_path):
    """The README shows lines that its commands print."""
    look_like_root(tmp_path)
    commands = next(block for block in blocks(ROOT / "README.md", "sh") if "relabel pool" in block)
    said = shell(commands, tmp_path).stdout.splitlines()
    shown = next(block for block in blocks(ROOT / "README.md", "text") if "sound:" in block)
    assert [line for line in shown.splitlines() if line not in said] == []


def assert_shown(page, tmp_path):
    """The first commands of a page print the lines of its first text block."""
    look_like_root(tmp_path)
    found = shell(blocks(page, "sh")[0], tmp_path)
    assert found.returncode == 0, found.stderr
    said = (found.stdout + found.stderr).splitlines()
    assert [line for line in blocks(page, "text")[0].splitlines() if line not in said] == []


def test_shown_annotating(tmp_path):
    """The page on annotating shows lines that its command prints."""
    assert_shown(ROOT / "spec" / "annotate.md", tmp_path)


def test_shown_exporting(tmp_path):
    """The page on exporting shows lines that its commands print, and its tables have every form and rule."""
    page = ROOT / "spec" / "export.md"
    assert_shown(page, tmp_path)
    for name in (*TARGETS, *RULES):
        assert re.search(rf"^\| `{name}`", page.read_text(), re.M), name


def figures(text):
    return set(re.findall(r"\d[\d,.]*\d|\d", text))


def test_figures_are_quoted():
    """Figures stand in one place: what the README says of containers is in the table of the benchmarks."""
    section = re.search(r"^## Why not.*?^## ", (ROOT / "README.md").read_text(), re.M | re.S)[0]
    measured = re.search(r"^## How fast.*?^## ", (ROOT / "tools" / "README.md").read_text(), re.M | re.S)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ") and "…" not in line]
    assert len(rows) == 10
    for name, size, time, _ in rows:
        found = figures(size + time) - figures("16" if "chunks of 16" in size else "")
        assert found and found <= figures(measured), name


def test_swift_example():
    """The README's Swift block is compiled and run by a Swift test of the same text."""
    (example,) = blocks(ROOT / "README.md", "swift")
    source = (ROOT / "Tests" / "RelabelTests" / "ShardedDatasetTests.swift").read_text()
    lines = [line.strip() for line in example.splitlines() if line.strip() and "import" not in line]
    assert "\n".join(lines) in "\n".join(line.strip() for line in source.splitlines())


def swift_comments():
    """The Swift blocks of doc comments, each with the first name declared behind it."""
    found = {}
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        for comment, name in re.findall(
            r"((?:^ *///.*\n)+)(?:^ *@.*\n)*^ *(?:public|package)?[\w ~]*?\b(?:class|struct|enum|func) (\w+)",
            path.read_text(),
            re.M,
        ):
            text = re.sub(r"^ */// ?", "", comment, flags=re.M)
            for example in re.findall(r"^```swift\n(.*?)^```", text, re.M | re.S):
                found[name] = example
    return found


def test_swift_examples_of_comments():
    """The Swift examples of doc comments are compiled and run by Swift tests of the same text."""
    source = (ROOT / "Tests" / "PackingTests" / "DocumentationExamples.swift").read_text()
    lines = "\n".join(line.strip() for line in source.splitlines())
    examples = swift_comments()
    written = sum(path.read_text().count("/// ```swift") for path in (ROOT / "Sources").rglob("*.swift"))
    assert len(examples) == written
    for name, example in examples.items():
        wanted = "\n".join(line.strip() for line in example.splitlines())
        assert wanted in lines, f"{name}: its example is not in DocumentationExamples.swift"


DOCTESTS = """
import doctest, importlib, pkgutil, sys
import torchvision_import, relabel_hdf5
modules = [relabel_hdf5]
for found in pkgutil.walk_packages(relabel_hdf5.__path__, "relabel_hdf5."):
    modules.append(importlib.import_module(found.name))
for module in modules:
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        if test.examples:
            if doctest.DocTestRunner().run(test).failed:
                sys.exit(1)
            print("ran", test.name)
"""


@pytest.mark.parametrize("engine", ["found", "numpy"])
def test_python_examples_of_comments(engine, tmp_path, workplace):
    """The examples of docstrings print what they show, with either engine."""
    for name in ("samples", "dataset", "views"):
        (tmp_path / name).symlink_to(workplace / name)
    environment = {**os.environ, "RELABEL_BIN": str(BIN)}
    path = [str(ROOT / "tools" / "checking"), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    if engine == "numpy":
        environment["RELABEL_LIBRARY"] = "none"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DOCTESTS], cwd=tmp_path, capture_output=True, text=True,
        env=environment,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    ran = {name.rpartition(".")[2] for name in re.findall(r"^ran (\S+)$", result.stdout, re.M)}
    assert promised_examples("Python") <= ran


def promised_examples(language):
    """The types of which CONTRIBUTING says that they have an example."""
    (line,) = re.findall(rf"^  - {language}: (.*?)\.$", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)
    return set(re.findall(r"`(\w+)`", line))


def test_promised_examples():
    """Twelve types that users meet first have an example."""
    assert promised_examples("Swift") <= set(swift_comments())
    assert len(promised_examples("Swift")) + len(promised_examples("Python")) == 12


def test_quickstart():
    """The quick start runs again on a built tree and shows the goldfish."""
    result = subprocess.run([ROOT / "tools" / "quickstart"], capture_output=True, text=True, timeout=1200)
    assert result.returncode == 0, result.stderr
    assert "sound: 1 shard, 18 images checked" in result.stdout
    assert "1  goldfish" in result.stdout
    assert "goldfish" in (ROOT / ".build" / "quickstart.html").read_text()


def test_sample_reader_agrees_with_show(sample_dataset, sample_shard):
    """The fifteen-line reader and relabel show give the same ids and scores for every sample."""
    import json

    keys = [line.rsplit(".", 1)[0] for line in (SAMPLES / "images.txt").read_text().split()]
    code = [line for line in (SAMPLES / "read_with_h5py.py").read_text().splitlines() if line.strip()]
    assert len(code) <= 16, "the reader is meant to be short"
    for key in keys:
        reader = subprocess.run(
            [sys.executable, SAMPLES / "read_with_h5py.py", sample_shard, key],
            capture_output=True, text=True,
        )
        assert reader.returncode == 0, reader.stderr
        shown = subprocess.run(
            [BIN / "relabel", "show", sample_dataset, "--key", key, "--format", "json"],
            capture_output=True, text=True,
        )
        ours, theirs = json.loads(shown.stdout), json.loads(reader.stdout)
        assert {name: ours[name] for name in theirs} == theirs


HOUSE = [
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "tools" / "python" / "ARCHITECTURE.md",
    *sorted((ROOT / "Sources").glob("*/README.md")),
]


@pytest.fixture(scope="module")
def project():
    """The paths of all files, and the words of all sources."""
    paths, words = set(), set()
    for top in ("Sources", "Tests", "tools", "spec", "samples"):
        for path in (ROOT / top).rglob("*"):
            if "__pycache__" in path.parts or path.is_dir():
                continue
            paths.add(f"/{path.relative_to(ROOT)}")
            if path.suffix in {".swift", ".py", ".h"}:
                words |= set(re.findall(r"\w+", path.read_text()))
    paths |= {f"/{path.name}" for path in ROOT.iterdir()}
    return paths, words


@pytest.mark.parametrize("document", HOUSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_exist(document, project):
    """Files, folders, types and functions that a document names are there, and so is what it links to."""
    paths, words = project
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)
    missing = []
    for name in re.findall(r"`([^`\n]+)`", text):
        if re.fullmatch(r"[\w/.+-]+\.(swift|py|md|json|h)", name):
            is_there = any(path.endswith(f"/{name}") for path in paths)
        elif re.fullmatch(r"[\w.-]*/[\w/.-]*", name):
            is_there = any(f"/{name.strip('/')}/" in f"{path}/" for path in paths)
        elif re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", name):
            is_there = words.issuperset(re.findall(r"\w+", name))
            is_there = is_there or any(f"/{name}/" in f"{path}/" for path in paths)
        else:
            continue
        if not is_there:
            missing.append(name)
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (document.parent / link).exists():
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("script", ["quickstart", "test", "build", "check-real"])
def test_scripts_can_be_run(script):
    assert os.access(ROOT / "tools" / script, os.X_OK)
