"""Takes pictures of the pages; see tools/screenshots."""

import contextlib
import pathlib
import signal
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
# the same with another preset, FACTORS the dense samples.
PAGES = {
    "report": ["report", "DATASET", "--pictures", SAMPLES / "images", "-o"],
    "diff": ["diff", "DATASET", "SMALL", "--tolerance", "encodings", "--pictures", SAMPLES / "images", "-o"],
    "view": ["view", "DATASET", "--key", KEY, "--pictures", SAMPLES / "images", "-o"],
    "factors": ["view", "FACTORS", "--key", KEY, "--pictures", SAMPLES / "images", "-o"],
}

# Pages that a server shows: what the tool is given, and what is done before the picture is taken.
OPEN = "document.querySelector('.tile').click(); document.querySelector('.tile').click()"
SERVED = {
    "browse": (["DATASET", "--pictures", SAMPLES / "images"], ""),
    "browse-image": (["DATASET", "--pictures", SAMPLES / "images"], OPEN),
    "browse-two": (["DATASET", "--compare", "SMALL", "--pictures", SAMPLES / "images"], OPEN),
}


def relabel(*arguments):
    subprocess.run([BIN / "relabel", *arguments], check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def served(*arguments):
    """The address of a running relabel browse, once it has measured all images."""
    command = [BIN / "relabel", "browse", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def take(browser, where, folder, name, before=""):
    """Pictures of a page at all widths and in all schemes."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            browser.open(where, width=width, scheme=scheme)
            if "://" in str(where):
                # Pictures and measures come after the page.
                browser.wait("document.querySelector('.tile')?.textContent.includes('suspicion')")
                browser.wait("document.querySelector('.tile canvas').toDataURL().length > 20000")
            if before:
                browser.run(before)
                browser.wait("document.querySelector('dialog[open] .picture')")
            browser.assert_quiet()
            picture = folder / f"{name}-{width}-{scheme}.png"
            browser.screenshot(picture, whole=not before)
            print(picture)


def main(folder, names):
    if reason := missing():
        sys.exit(reason)
    if unknown := set(names) - set(PAGES) - set(SERVED):
        sys.exit(f"no page is called {', '.join(sorted(unknown))}; there are {', '.join([*PAGES, *SERVED])}")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        options = [
            "--classes",
            SAMPLES / "classes.tsv",
            "--annotator",
            SAMPLES / "annotator.json",
            "--orientation",
            "yx",
        ]
        folders = {"DATASET": scratch / "dataset", "SMALL": scratch / "small", "FACTORS": scratch / "factors"}
        relabel("pack", SAMPLES / "maps", "--output", folders["DATASET"], *options)
        relabel("pack", SAMPLES / "maps", "--output", folders["SMALL"], "--preset", "small", *options)
        relabel(
            "pack",
            SAMPLES / "dense",
            "--output",
            folders["FACTORS"],
            "--score-kind",
            "logit",
            "--maps",
            "factors",
            *options,
        )

        def words(given):
            return (folders.get(word, word) if isinstance(word, str) else word for word in given)

        browser = Browser()
        try:
            for name in names or [*PAGES, *SERVED]:
                if name in PAGES:
                    page = scratch / f"{name}.html"
                    relabel(*words(PAGES[name]), page)
                    take(browser, page, folder, name)
                else:
                    arguments, before = SERVED[name]
                    with served(*words(arguments)) as address:
                        take(browser, address, folder, name, before)
                        browser.open("about:blank")
        finally:
            browser.driver.quit()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
