"""What a newcomer does with the installed wheel; tools/check-wheel runs it. With `train`, the README's example."""

import pathlib
import re
import statistics
import subprocess
import sys
import time
import urllib.request

import numpy as np

import relabel_hdf5

assert relabel_hdf5.engine().startswith("swift"), relabel_hdf5.engine()

if sys.argv[1:] == ["train"]:
    blocks = re.findall(r"^```python\n(.*?)^```", pathlib.Path("README.md").read_text(), re.M | re.S)
    (example,) = [block for block in blocks if "optimizer.step()" in block]
    import torchvision_import  # noqa: F401

    exec(compile(example, "README.md", "exec"), {"__name__": "__main__"})
    print("the README's example has trained")
    sys.exit()

scores = np.random.default_rng(0).normal(size=(40, 50, 7, 7)).astype("float32")
with relabel_hdf5.Writer("written", num_classes=50, score_kind="logit", overwrite=True) as writer:
    for place in range(20):
        writer.add(f"a/{place}", scores[place])
    writer.add_batch([f"a/{place}" for place in range(20, 40)], scores[20:])
maps = relabel_hdf5.open("written")
assert len(maps) == 40 and maps.targets([3], [[0.0, 0.0, 1.0, 1.0]]).shape == (1, 50)
assert subprocess.run(["relabel-verify", "written"]).returncode == 0

subprocess.run(["relabel", "report", "written", "-o", "report.html"], check=True)
subprocess.run(["relabel", "view", "written", "--key", "a/3", "-o", "view.html"], check=True)
for page in ("report.html", "view.html"):
    assert "</script>" in pathlib.Path(page).read_text(), page
# The server is alive if it answers whoever has its address.
browse = subprocess.Popen(["relabel", "browse", "written", "--marks", "marks.tsv"], stdout=subprocess.PIPE, text=True)
with urllib.request.urlopen(browse.stdout.readline().strip(), timeout=20) as answer:
    assert "</script>" in answer.read().decode()
browse.terminate()
browse.wait(timeout=20)


def seconds(module: str) -> float:
    """Processor and waiting time of a fresh interpreter that imports a module."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


pairs = [(seconds("numpy"), seconds("relabel_hdf5")) for _ in range(21)]
ratio = statistics.median(own for _, own in pairs) / statistics.median(other for other, _ in pairs)
print(f"import relabel_hdf5 takes {ratio:.2f} times what import numpy takes")
assert ratio <= 1.3
