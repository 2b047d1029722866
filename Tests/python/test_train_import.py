"""What importing the training side needs, and what it says where that is missing."""

import os
import subprocess
import sys

import pytest

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "python", "src")


def python(code):
    environment = {**os.environ, "PYTHONPATH": os.path.abspath(SOURCE)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("module", ["torch", "PIL"])
def test_the_extra_is_named(module):
    result = python(f"import sys; sys.modules['{module}'] = None; import relabel_hdf5.train")
    assert result.returncode != 0
    assert f"relabel_hdf5.train needs {module}: pip install relabel-hdf5[torch]" in result.stderr


def test_torchvision_and_timm_are_not_needed():
    result = python(
        "import sys; sys.modules['torchvision'] = None; sys.modules['timm'] = None\n"
        "from relabel_hdf5.train import SoftMixup, with_box\n"
        "from torch.nn import Identity, Sequential\n"
        "import torch\n"
        "print(with_box(Sequential(Identity()))(torch.zeros(3, 4, 5))[1].tolist())\n"
        "SoftMixup()"
    )
    assert "[0.0, 0.0, 1.0, 1.0]" in result.stdout
    assert "ImportError: SoftMixup needs timm: pip install relabel-hdf5[timm]" in result.stderr


def test_the_package_itself_does_not_load_torch():
    result = python("import sys, relabel_hdf5; print('torch' in sys.modules, hasattr(relabel_hdf5, 'open'))")
    assert result.stdout.split() == ["False", "True"], result.stderr
