"""The examples of samples/frameworks run; tools/check-frameworks runs those, too, whose packages tests don't have."""

import re
import sys

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "tools" / "checking"))

import frameworks  # noqa: E402

TABLE = (ROOT / "tools" / "python" / "README.md").read_text()


@pytest.mark.parametrize("example", frameworks.PACKAGES)
def test_example(example, sample_dataset, tmp_path):
    missing = [package for package, version in frameworks.versions(example).items() if version is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: see tools/check-frameworks")
    result = frameworks.run(example, sample_dataset, tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_every_example_is_listed():
    assert {path.stem for path in frameworks.EXAMPLES.glob("*.py")} == set(frameworks.PACKAGES)


def test_the_table_names_every_example_and_its_version():
    rows = re.findall(r"\(\.\./\.\./samples/frameworks/(\w+)\.py\) \| ([^|]*\d[^|]*) \|", TABLE)
    assert sorted(name for name, _ in rows) == sorted(frameworks.PACKAGES)
    for name, text in rows:
        package = frameworks.PACKAGES[name][0]
        if (version := frameworks.versions(name)[package]) is not None:
            assert version.partition("+")[0] in text
