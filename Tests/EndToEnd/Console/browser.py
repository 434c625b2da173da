"""A Chromium without a window that looks at the console, and what is true of every page of it."""

import importlib.resources
import os
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

AXE = importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text()

# Of the page's own making, so that it does not count as the page's.
CONTRAST = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then((result) => done(result.violations.map((violation) =>
  violation.id + ": " + violation.nodes.slice(0, 3).map((node) => node.target + " " + node.failureSummary).join("; "))));
"""


class Browser:
    def __init__(self, base):
        self.base = base
        options = Options()
        options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        for argument in ["headless=new", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"]:
            options.add_argument(f"--{argument}")
        if os.getuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(30)
        self.driver.set_script_timeout(30)
        self.size(1280, 900)

    def size(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme="light", motion="no-preference"):
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, path):
        self.driver.get(self.base + path)
        self.quiet(path)

    def quiet(self, where):
        """Nothing was said in the browser's console: no error of a script, no report of the content policy."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        assert not said, f"{where}: {said}"

    def fits(self, where):
        wide, has = self.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= has, f"{where}: {wide} pixels wide on {has}"

    def accessible(self, where):
        """Contrast, names, labels, landmarks and what else axe-core knows."""
        self.run(AXE)
        found = self.driver.execute_async_script(CONTRAST)
        assert not found, f"{where}: " + "\n".join(found)
        # What axe does to a page is not the page's doing.
        self.driver.get_log("browser")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector="main"):
        # In one question: a part may be replaced between finding it and asking for its text.
        return self.run("return document.querySelector(arguments[0]).innerText", selector).strip()

    def eventually(self, what, look, within=15):
        end = time.monotonic() + within
        while time.monotonic() < end:
            try:
                found = look()
            except WebDriverException:
                # The page is just being left.
                found = None
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{what} did not come within {within} s")

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)", selector)

    def keys(self, *keys):
        """Presses keys where the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def click(self, selector, name=""):
        """The first that begins with the name; found and clicked at once, as parts are replaced at any moment."""
        found = self.run(
            "const one = [...document.querySelectorAll(arguments[0])].find((one) => one.innerText.startsWith(arguments[1]));"
            "if (one) one.click(); return Boolean(one)", selector, name)
        assert found, f"there is no {selector} {name} at {self.driver.current_url}: {self.text()}"

    def press(self, name, refused=False, within="main"):
        """Sends the form of the first button of that name, and waits for the page that it leads to."""
        before = self.find("html").id
        self.click(f"{within} button", name)
        self.eventually("the next page", lambda: self.find("html").id != before)
        # A browser tells of a page with an error's status, too.
        return self.driver.get_log("browser") if refused else self.quiet(name)

    def close(self):
        self.driver.quit()
