"""Packs the samples, runs the examples of samples/frameworks on them and prints a line for each."""

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "checking"))

from frameworks import PACKAGES, ROOT, run, versions
from running import BIN, SAMPLES


def main():
    examples = sys.argv[1:] or list(PACKAGES)
    if unknown := [example for example in examples if example not in PACKAGES]:
        raise SystemExit(f"there is no example {unknown[0]}; there are {', '.join(PACKAGES)}")
    failed = []
    with tempfile.TemporaryDirectory(prefix="relabel-frameworks-") as folder:
        dataset = pathlib.Path(folder) / "dataset"
        subprocess.run([
            BIN / "relabel-pack", SAMPLES / "maps", "--output", dataset, "--classes", SAMPLES / "classes.tsv",
            "--orientation", "yx",
        ], check=True, stdout=subprocess.DEVNULL)
        for example in examples:
            found = versions(example)
            named = ", ".join(f"{package} {version or 'missing'}" for package, version in found.items())
            if None in found.values():
                print(f"NOT RUN  {example:18} {named}", flush=True)
                failed.append(example)
                continue
            result = run(example, dataset, folder)
            said = (result.stdout.strip().splitlines() or ["nothing"])[-1]
            print(f"{'ran' if not result.returncode else 'FAILED':8} {example:18} {named}: {said}", flush=True)
            if result.returncode:
                print(result.stderr, file=sys.stderr)
                failed.append(example)
    print(f"{len(examples) - len(failed)} of {len(examples)} examples in {ROOT / 'samples' / 'frameworks'} ran")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
