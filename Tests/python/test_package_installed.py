"""The library and the programs that lie beside the package: found, refused by name, never passed over."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

import pytest
from conftest import BIN, ROOT

import relabel_hdf5
from relabel_hdf5 import UsageError, programs
from relabel_hdf5.engines import library
from relabel_hdf5.versions import VERSION

PACKAGE = pathlib.Path(relabel_hdf5.__file__).parent
OTHER = "0.0.9"


@pytest.fixture
def site(tmp_path):
    """A folder with a copy of the package, as pip would install it from a wheel."""
    site = tmp_path / "site-packages"
    shutil.copytree(PACKAGE, site / "relabel_hdf5", ignore=shutil.ignore_patterns("__pycache__"))
    return site


def run(site, script, **environment):
    """A program of a new Python that finds the package in `site`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RELABEL_")}
    found = {**kept, "PYTHONPATH": str(site), **environment}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=found)


def answering(path, version):
    """A program at a path that says it is of a version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{version} (format 1.0)'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def add_library(site, version):
    """Puts a library that says it is of a version beside the package."""
    source = site.parent / "library.c"
    functions = "".join(f"void relabel_{name}(void) {{}}\n" for name in library.SIGNATURES if name != "version")
    source.write_text(f'const char *relabel_version(void) {{ return "{version} (format 1.0)"; }}\n{functions}')
    path = site / "relabel_hdf5" / library.NAME
    subprocess.run(["cc", "-shared", "-fPIC", "-o", path, source], check=True)
    return path


# --------------------------------------------------------------------------------------- one version


def test_one_version_everywhere():
    swift = (ROOT / "Sources" / "RelabelFormat" / "Layout" / "FormatVersion.swift").read_text()
    assert re.search(r'static let version: String = "(.*)"', swift)[1] == VERSION == relabel_hdf5.__version__
    assert programs.program("relabel-pack")


# --------------------------------------------------------------------------------------- the library


ENGINE = "import relabel_hdf5; print(relabel_hdf5.engine())"


def test_a_bundled_library_is_used(site):
    path = add_library(site, VERSION)
    assert run(site, ENGINE).stdout == f"swift {VERSION} ({path})\n"


def test_a_bundled_library_of_another_version_is_refused(site):
    path = add_library(site, OTHER)
    for script in (ENGINE, f"import relabel_hdf5; relabel_hdf5.open({str(ROOT / 'samples')!r})"):
        refused = run(site, script).stderr.splitlines()[-1]
        assert refused.startswith("relabel_hdf5.errors.UsageError") and str(path) in refused
        assert OTHER in refused and VERSION in refused and "pip install --force-reinstall relabel-hdf5" in refused
    assert run(site, ENGINE, RELABEL_LIBRARY="none").stdout == "numpy\n"


def test_a_bundled_library_that_was_cut_is_refused(site):
    path = add_library(site, VERSION)
    path.write_bytes(path.read_bytes()[:5000])
    refused = run(site, ENGINE).stderr.splitlines()[-1]
    assert "UsageError" in refused and "was cut" in refused and "pip install" in refused


def test_without_a_library_the_engine_says_why(site):
    found = run(site, ENGINE)
    if found.stdout.startswith("numpy"):  # else the system has the library
        assert "not in this installation" in found.stdout and "pip install" in found.stdout
    assert found.stderr == ""


# -------------------------------------------------------------------------------------- the programs


PROGRAM = "from relabel_hdf5.programs import program; print(program('relabel-pack'))"


def record(site, line):
    """Notes an installed file as pip does."""
    info = site / f"relabel_hdf5-{VERSION}.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"relabel_hdf5/__init__.py,,\n{line},sha256=0,0\n")


def test_the_program_that_pip_noted_is_found(site, tmp_path):
    add_library(site, VERSION)
    wanted = answering(tmp_path / "elsewhere" / "relabel-pack", VERSION)
    record(site, "../elsewhere/relabel-pack")
    answering(site / "bin" / "relabel-pack", OTHER)
    found = run(site, PROGRAM)
    assert found.stdout and os.path.samefile(found.stdout.strip(), wanted), found.stderr


def test_a_program_of_an_installation_into_a_folder_is_found(site):
    add_library(site, VERSION)
    wanted = answering(site / "bin" / "relabel-pack", VERSION)
    assert run(site, PROGRAM).stdout == f"{wanted}\n"


def test_a_bundled_program_that_is_gone_or_of_another_version_is_refused(site, tmp_path):
    add_library(site, VERSION)
    answering(tmp_path / "path" / "relabel-pack", VERSION)
    path = f"{tmp_path / 'path'}:{os.environ['PATH']}"
    refused = run(site, PROGRAM, PATH=path).stderr.splitlines()[-1]
    assert "UsageError" in refused and "no longer there" in refused and "pip install" in refused
    other = answering(site / "bin" / "relabel-pack", OTHER)
    refused = run(site, PROGRAM, PATH=path).stderr.splitlines()[-1]
    assert "UsageError" in refused and str(other) in refused
    assert OTHER in refused and VERSION in refused and "pip install" in refused


def test_a_program_on_the_path(site, tmp_path):
    wanted = answering(tmp_path / "path" / "relabel-pack", VERSION)
    path = f"{tmp_path / 'path'}:{os.environ['PATH']}"
    assert run(site, PROGRAM, PATH=path).stdout == f"{wanted}\n"
    answering(wanted, OTHER)
    refused = run(site, PROGRAM, PATH=path).stderr.splitlines()[-1]
    assert "UsageError" in refused and OTHER in refused and VERSION in refused and str(wanted) in refused


def test_no_program_at_all(site, tmp_path):
    refused = run(site, PROGRAM, PATH=str(tmp_path)).stderr.splitlines()[-1]
    assert "UsageError" in refused and "relabel-pack is not installed" in refused and "tools/build" in refused


def test_a_folder_of_programs_that_is_named(site, tmp_path):
    assert run(site, PROGRAM, RELABEL_BIN=str(BIN)).stdout == f"{BIN / 'relabel-pack'}\n"
    for version, words in [(OTHER, [OTHER, VERSION]), ("no version", ["no", VERSION])]:
        answering(tmp_path / "relabel-pack", version)
        refused = run(site, PROGRAM, RELABEL_BIN=str(tmp_path)).stderr.splitlines()[-1]
        assert "UsageError" in refused and all(word in refused for word in words)
    missing = run(site, PROGRAM, RELABEL_BIN=str(tmp_path / "none")).stderr.splitlines()[-1]
    assert "UsageError" in missing and "No such file" in missing
    (tmp_path / "relabel-pack").write_text("#!/bin/sh\necho 'out of order' >&2\nexit 3\n")
    assert "out of order" in run(site, PROGRAM, RELABEL_BIN=str(tmp_path)).stderr.splitlines()[-1]


def test_a_program_of_another_name(site):
    with pytest.raises(UsageError, match="relabel-verify"):
        programs.program("relabel-paint")


# ------------------------------------------------------------------------------------------ the import


def test_importing_the_package_brings_little_along(site):
    """NumPy, which the user wants anyway, and our own small modules: the rest comes when it is asked for."""
    brought = "import sys, numpy; before = {*sys.modules}; import relabel_hdf5; print(*{*sys.modules} - before)"
    found = {name.split(".")[0] for name in run(site, brought).stdout.split()}
    assert found <= {"relabel_hdf5", "numpy", "__future__", "copy", "dataclasses", "errno", "inspect"}
    loaded = run(site, "import sys, relabel_hdf5; print(*sys.modules)").stdout.split()
    assert not {"h5py", "subprocess", "tempfile", "torch", "relabel_hdf5.writing"} & {*loaded}


def test_the_writer_is_there_when_it_is_asked_for(site):
    script = "import relabel_hdf5 as r; from relabel_hdf5 import Writer; print('Writer' in dir(r), Writer.__name__)"
    assert run(site, script).stdout == "True Writer\n"
    assert "no attribute 'Reader'" in run(site, "import relabel_hdf5; relabel_hdf5.Reader").stderr
