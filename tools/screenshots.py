"""Takes pictures of the pages; see tools/screenshots."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "checking"))

from browser import SCHEMES, Browser, missing
from running import BIN, SAMPLES

KEY = "n01443537/n01443537_00069"
WIDTHS = (390, 1280)

# Each page by its name: what the tool is given besides the file to write. DATASET is the packed samples, SMALL
# the same with another preset.
PAGES = {
    "report": ["report", "DATASET", "--pictures", SAMPLES / "images", "-o"],
    "diff": ["diff", "DATASET", "SMALL", "--tolerance", "encodings", "--pictures", SAMPLES / "images", "-o"],
    "view": ["view", "DATASET", "--key", KEY, "--pictures", SAMPLES / "images", "-o"],
}


def relabel(*arguments):
    subprocess.run([BIN / "relabel", *arguments], check=True, stdout=subprocess.DEVNULL)


def main(folder, names):
    if reason := missing():
        sys.exit(reason)
    if unknown := set(names) - set(PAGES):
        sys.exit(f"no page is called {', '.join(sorted(unknown))}; there are {', '.join(PAGES)}")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        options = ["--classes", SAMPLES / "classes.tsv", "--annotator", SAMPLES / "annotator.json", "--orientation", "yx"]
        folders = {"DATASET": scratch / "dataset", "SMALL": scratch / "small"}
        relabel("pack", SAMPLES / "maps", "--output", folders["DATASET"], *options)
        relabel("pack", SAMPLES / "maps", "--output", folders["SMALL"], "--preset", "small", *options)
        browser = Browser()
        try:
            for name in names or PAGES:
                page = scratch / f"{name}.html"
                relabel(*(folders.get(word, word) if isinstance(word, str) else word for word in PAGES[name]), page)
                for width in WIDTHS:
                    for scheme in SCHEMES:
                        browser.open(page, width=width, scheme=scheme)
                        browser.assert_quiet()
                        picture = folder / f"{name}-{width}-{scheme}.png"
                        browser.screenshot(picture)
                        print(picture)
        finally:
            browser.driver.quit()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
