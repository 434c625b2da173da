"""The list of invocations where there are ten thousand of them, and more come."""

import http.client
import threading
import time
import urllib.parse

from host import ADMIN, GATEWAY, HOSTILE, call
from selenium.webdriver.support.ui import Select

FRAMES = """
window.watched = {gap: 0, updates: 0, spent: 0};
let last = performance.now();
const frame = (now) => { watched.gap = Math.max(watched.gap, now - last); last = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
const put = Element.prototype.replaceChildren;
Element.prototype.replaceChildren = function (...nodes) {
  const began = performance.now();
  put.apply(this, nodes);
  this.getBoundingClientRect();
  if (this.id === "invocations") { watched.updates += 1; watched.spent += performance.now() - began; }
};
"""


def updates(browser, send):
    """What the list costs while it changes: on the host a page, in the browser an update and the longest frame."""
    began = time.monotonic()
    for _ in range(10):
        status, text = call(f"{ADMIN}/console/invocations")
        assert status == 200
    page = (time.monotonic() - began) / 10
    browser.open("/console/invocations")
    browser.eventually("the stream", lambda: browser.text("#live") == "live")
    browser.run(FRAMES)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        send(20)
        time.sleep(0.1)
    gap, count, spent = browser.run("return [watched.gap, watched.updates, watched.spent]")
    print(f"a page of 100 of them takes the host {page * 1000:.0f} ms, {len(text) / 1024:.0f} KiB; while they come, "
          f"{count} updates in 5 s of {spent / max(count, 1):.0f} ms each, longest frame {gap:.0f} ms")
    assert count >= 2 and gap < 2000


def ten_thousand(browser):
    host, port = GATEWAY.split("//")[1].split(":")

    def send(count):
        connection = http.client.HTTPConnection(host, int(port))
        for _ in range(count):
            connection.request("GET", "/v1/questionnaires")
            connection.getresponse().read()

    threads = [threading.Thread(target=send, args=[2500]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began = time.monotonic()
    browser.open("/console/invocations?function=questionnaire")
    loaded = time.monotonic() - began
    assert len(browser.all("#rows li")) == 100
    for pages in range(2, 12):
        browser.run("document.querySelector('a[data-more]').click()")
        count = "return document.querySelectorAll('#rows li').length"
        browser.eventually("older rows", lambda: browser.run(count) == 100 * pages)
    began = time.monotonic()
    browser.run("scrollTo(0, document.body.scrollHeight)")
    browser.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")
    scrolled = time.monotonic() - began
    began = time.monotonic()
    browser.open("/console/invocations?search=no+such+text")
    searched = time.monotonic() - began
    assert "No invocation" in browser.text()
    print(f"10,000 invocations: list {loaded:.2f} s, 1,100 rows scrolled {scrolled:.2f} s, search {searched:.2f} s")
    assert max(loaded, scrolled, searched) < 5
    updates(browser, send)
    browser.open("/console/invocations?search=" + urllib.parse.quote(HOSTILE))
    Select(browser.find("#outcome")).select_by_visible_text("failed")
    browser.find("form.bar button").click()
    browser.eventually("the filter", lambda: "outcome=" in browser.driver.current_url)
    assert browser.find("#search").get_attribute("value") == HOSTILE
    browser.quiet("a hostile search")
