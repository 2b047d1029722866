"""A real browser for tests of pages: headless Chromium, steered as a person steers it.

A test takes the fixture `browser` and opens a page. Whatever the browser's console says of errors, or of the page's content
policy, fails the test at its end.
"""

import base64
import importlib.util
import pathlib
import shutil

import pytest

SCHEMES = ("light", "dark")


class Browser:
    """One tab of Chromium."""

    def __init__(self):
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service

        options = ChromeOptions()
        options.binary_location = shutil.which("chromium")
        # Chromium's sandbox can't be had by root and within most containers; pages here are the project's own.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                         "--force-color-profile=srgb"):  # fmt: skip
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_script_timeout(60)

    # ----------------------------------------------------------------------------------------- pages

    def open(self, where, width=1280, height=900, scheme="light", touch=False):
        """Shows a file or an address, in a window of this size in CSS pixels and in light or dark colours."""
        self.resize(width, height, touch)
        self.use_scheme(scheme)
        self.driver.get(where if "://" in str(where) else pathlib.Path(where).resolve().as_uri())
        return self

    def resize(self, width, height=900, touch=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch)

    def use_scheme(self, scheme):
        """Asks for light or dark colours, as a system's setting does."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def cdp(self, command, **arguments):
        """A command of the DevTools protocol and its result."""
        return self.driver.execute_cdp_cmd(command, arguments)

    # --------------------------------------------------------------------------------------- looking

    def run(self, script, *arguments):
        """Runs a script in the page and returns what it returns."""
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        """The only element that a CSS selector finds."""
        found = self.all(selector)
        assert len(found) == 1, f"{selector}: {len(found)} elements"
        return found[0]

    def text(self, selector):
        return self.one(selector).text

    def wait(self, condition, seconds=10):
        """Waits until a JavaScript expression is true, and returns its value."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.05).until(lambda _: self.run(f"return {condition}"), condition)

    def screenshot(self, path, whole=True):
        """Writes a PNG of the whole page, or of the window."""
        taken = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        if whole:
            size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            taken = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        pathlib.Path(path).write_bytes(base64.b64decode(taken["data"]))

    # ---------------------------------------------------------------------------------------- acting

    def actions(self):
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver, duration=30)

    def point(self, selector_or_element, x=0, y=0):
        """Moves the mouse to an element's middle, or so many pixels from there."""
        self.actions().move_to_element_with_offset(self._element(selector_or_element), x, y).perform()

    def click(self, selector_or_element, x=0, y=0):
        self.actions().move_to_element_with_offset(self._element(selector_or_element), x, y).click().perform()

    def drag(self, selector_or_element, right, down, steps=5):
        """Presses the mouse on an element's middle, moves it by so many pixels, and lets go."""
        moves = self.actions().move_to_element(self._element(selector_or_element)).click_and_hold()
        for across, along in self._steps(right, down, steps):
            moves.move_by_offset(across, along)
        moves.release().perform()

    def touch_drag(self, selector_or_element, right, down, steps=5):
        """The same with a finger; needs `open(touch=True)`."""
        x, y = self.run(
            "arguments[0].scrollIntoView({block: 'center'}); const r = arguments[0].getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]",
            self._element(selector_or_element),
        )
        self.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        for across, along in self._steps(right, down, steps):
            x, y = x + across, y + along
            self.cdp("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": x, "y": y}])
        self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    @staticmethod
    def _steps(right, down, steps):
        """Whole pixels that sum to a way."""
        ends = [(round(right * step / steps), round(down * step / steps)) for step in range(steps + 1)]
        return [(b[0] - a[0], b[1] - a[1]) for a, b in zip(ends, ends[1:])]

    def press(self, *keys, times=1):
        """Presses keys one after another on whatever has the focus: names such as TAB, or "SHIFT+LEFT", or text."""
        from selenium.webdriver import Keys

        moves = self.actions()
        for key in keys * times:
            *held, last = key.split("+") if key[0].isupper() else [key]
            held = [getattr(Keys, name) for name in held]
            for name in held:
                moves.key_down(name)
            moves.send_keys(getattr(Keys, last, last))
            for name in reversed(held):
                moves.key_up(name)
        moves.perform()

    def focused(self):
        """The element that has the focus."""
        return self.driver.switch_to.active_element

    def reachable(self, limit=300):
        """The elements that the TAB key reaches one after another, from the top, as (tag, id, label)."""
        self.run("document.activeElement.blur(); window.getSelection().removeAllRanges(); window.scrollTo(0, 0)")
        reached = []
        for _ in range(limit):
            self.press("TAB")
            place = self.run(
                "const e = document.activeElement; return e === document.body ? null :"
                "[e.tagName.toLowerCase(), e.id, e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent]"
            )
            if place is None or place in reached[:1] and len(reached) > 1:
                break
            reached.append(place)
        return reached

    def _element(self, found):
        return self.one(found) if isinstance(found, str) else found

    # --------------------------------------------------------------------------------------- judging

    def complaints(self):
        """What the console has said since the last call: errors, warnings, and what a content policy forbade."""
        entries = self.driver.get_log("browser")
        return [
            f"{entry['level']}: {entry['message']}" for entry in entries
            if entry["level"] in ("SEVERE", "WARNING") or "Content Security Policy" in entry["message"]
        ]  # fmt: skip

    def assert_quiet(self):
        complaints = self.complaints()
        assert not complaints, "\n".join(complaints)


def assert_accessible(browser, schemes=SCHEMES):
    """Fails on what axe-core calls a serious or critical fault, in light and in dark colours."""
    for scheme in schemes:
        browser.use_scheme(scheme)
        faults = [fault for fault in axe(browser)["violations"] if fault["impact"] in ("serious", "critical")]
        words = [
            f"{scheme}: {fault['id']} ({fault['impact']}): {fault['help']}: {node['html'][:200]} {node['failureSummary']}"
            for fault in faults for node in fault["nodes"][:5]
        ]  # fmt: skip
        assert not faults, "\n".join(words)


def axe(browser):
    """What axe-core finds.

    It runs in a world of its own within the page, so the page's content policy stays as it is.
    """
    frame = browser.cdp("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = browser.cdp("Page.createIsolatedWorld", frameId=frame, worldName="axe")["executionContextId"]
    source = pathlib.Path(importlib.util.find_spec("axe_playwright_python").origin).with_name("axe.min.js").read_text()
    browser.cdp("Runtime.evaluate", expression=source, contextId=world)
    found = browser.cdp(
        "Runtime.evaluate", expression="axe.run(document, {resultTypes: ['violations']})", contextId=world,
        awaitPromise=True, returnByValue=True,
    )  # fmt: skip
    assert "exceptionDetails" not in found, found["exceptionDetails"]
    return found["result"]["value"]


def missing():
    """What keeps a browser from being had, or None."""
    programs = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    modules = [name for name in ("selenium", "axe_playwright_python") if importlib.util.find_spec(name) is None]
    if programs:
        return "Debian's packages chromium and chromium-driver are not installed"
    return f"the Python environment has no {', '.join(modules)}" if modules else None


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of a process."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    browser = Browser()
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chromium):
    """The browser, whose console must have stayed quiet when the test ends."""
    chromium.complaints()
    yield chromium
    chromium.assert_quiet()
