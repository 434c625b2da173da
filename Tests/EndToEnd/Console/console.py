#!/usr/bin/env python3
"""Uses the console of a running development host in Chromium, every page and every action.

    console.py ADMIN GATEWAY DATA [--screenshots FOLDER]
"""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from browser import Browser
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

ADMIN, GATEWAY, DATA = sys.argv[1:4]
PAGES = ["", "/functions", "/functions/motto", "/invocations", "/schedules", "/schedules/market.trading", "/queues",
         "/workers", "/streams", "/data"]
HOSTILE = "</title><script>alert(1)</script>\"'&"


def call(url, body=None, headers=None, method=None):
    data = None if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def redis(*words):
    socket = f"{DATA}/redis/redis.sock"
    return subprocess.run(["redis-cli", "-s", socket, *words], check=True, capture_output=True, text=True).stdout


def motto():
    return call(f"{GATEWAY}/v1/mottos", {"prompt": HOSTILE, "tone": "witty", "count": 1})


def prepare():
    for _ in range(3):
        status, text = motto()
        assert status == 200, text
    call(f"{GATEWAY}/v1/mottos", {"prompt": "a lamp", "tone": "none such", "count": 1})
    call(f"{GATEWAY}/v1/personas", {"name": "Ada", "prompt": "an engineer"})
    answers = {"hero": "Mara", "age": 9, "place": "a lighthouse", "wish": HOSTILE}
    call(f"{GATEWAY}/v1/users/7/questionnaires/story/answers", {"answers": answers})
    redis("XADD", "events:questionnaire.submitted", "*", "type", "questionnaire.submitted", "data", '{"user": "nobody"}')


def every_page(browser):
    for scheme in ["light", "dark"]:
        browser.prefer(scheme)
        for page in PAGES:
            browser.open(f"/console{page}")
            assert browser.all("h1"), page
            browser.fits(page)
            browser.accessible(f"{page} {scheme}")
    browser.size(390, 844)
    for page in PAGES:
        browser.open(f"/console{page}")
        browser.fits(f"{page} on a phone")
        browser.accessible(f"{page} on a phone")
    browser.size(1280, 900)
    browser.prefer("light", "reduce")
    browser.open("/console")
    running = browser.run("return document.getAnimations().length")
    assert running == 0, f"{running} animations where none is wanted"
    browser.prefer()


def keyboard(browser):
    browser.open("/console")
    body = browser.find("body")
    body.send_keys(Keys.TAB)
    skip = browser.driver.switch_to.active_element
    assert "Skip" in skip.text and skip.rect["y"] >= 0, "the first stop is not the skip link"
    skip.send_keys(Keys.ENTER)
    assert browser.driver.switch_to.active_element.get_attribute("id") == "main"
    for _ in range(12):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", browser.driver.switch_to.active_element.get_attribute("outerHTML")


def live(browser):
    browser.open("/console")
    browser.eventually("the stream", lambda: browser.text("#live") == "live")
    row = lambda: next(row.text for row in browser.all("#functions tbody tr") if row.text.startswith("motto"))
    before = row()
    began = time.monotonic()
    motto()
    browser.eventually("a row that changes", lambda: row() != before)
    print(f"a change is seen after {time.monotonic() - began:.1f} s")
    browser.open("/console/invocations?function=motto")
    first = lambda: browser.all("#rows a")[0].get_attribute("href")
    newest = first()
    motto()
    browser.eventually("a new invocation", lambda: first() != newest)


def try_it(browser):
    browser.open("/console/functions/motto")
    event = browser.find("#event")
    event.clear()
    event.send_keys(json.dumps({"prompt": "a lamp", "tone": "calm", "count": 1}))
    browser.find("#try button[type=submit]").click()
    browser.eventually("the reply", lambda: browser.find("#reply-link").is_displayed())
    assert browser.text("#reply-status") == "200" and "mottos" in browser.text("#reply-text")
    browser.accessible("a reply")
    browser.find("#reply-link").click()
    browser.eventually("the invocation", lambda: "What happened" in browser.text())
    assert "text." in browser.find("svg.chart").get_attribute("textContent"), "its call is not in the picture"
    browser.accessible("an invocation")
    browser.quiet("an invocation")
    event = {"stream": True, "messages": [{"role": "user", "content": "Hello, who are you? Tell me at length."}]}
    browser.open("/console/functions/chatbot")
    browser.find("#event").clear()
    browser.find("#event").send_keys(json.dumps(event))
    browser.find("#try button[type=submit]").click()
    lengths = set()

    def ended():
        lengths.add(len(browser.find("#reply-text").get_attribute("textContent")))
        return browser.find("#reply-link").is_displayed()

    browser.eventually("the end of the stream", ended, 30)
    assert "[DONE]" in browser.text("#reply-text") and len(lengths) > 2, f"it came as one piece: {lengths}"
    browser.quiet("a reply that streams")


def schedules(browser):
    browser.open("/console/schedules")
    assert browser.all("rect.session") and browser.all("rect.window"), "the picture has no session or no window"
    browser.press("Pause")
    assert "The schedule is paused." in browser.text() and "paused" in browser.text("#schedules")
    browser.press("Resume")
    assert "The schedule runs again." in browser.text()
    browser.press("Run now")
    assert "The schedule has a run." in browser.text()
    browser.open("/console/schedules/evening")
    browser.eventually("the run", lambda: "by hand" in browser.text() or browser.driver.refresh())
    browser.open("/console/schedules")
    browser.find("#set").send_keys("2026-11-25T15:00:00Z")
    browser.press("Set the clock")
    assert "The clock is set." in browser.text() and "2026-11-25 15:00" in browser.text("#clock")
    assert browser.all("rect.holiday"), "Thanksgiving is not in the picture"
    browser.find("#set").send_keys("no instant")
    browser.press("Set the clock", refused=True)
    assert "That did not work" in browser.text()


def queues(browser):
    browser.open("/console/queues")
    browser.eventually("a dead letter", lambda: "Look" in browser.text("#sources"))
    next(link for link in browser.all("#sources a") if link.text.startswith("Look")).click()
    browser.eventually("the letters", lambda: "Dead letters" in browser.text("h1"))
    browser.accessible("dead letters")
    browser.press("Redrive")
    assert "queued again" in browser.text()
    browser.eventually("the letter again", lambda: "Look" in browser.text("#sources"))
    next(link for link in browser.all("#sources a") if link.text.startswith("Look")).click()
    browser.eventually("the letters", lambda: "Dead letters" in browser.text("h1"))
    browser.press("Purge all")
    assert "are gone" in browser.text()
    _, text = call(f"{ADMIN}/v1/functions/motto/invocations?async=1&delay=1h", {"prompt": "x", "tone": "calm"})
    job = json.loads(text)["job"]
    browser.open(f"/console/jobs/{job}")
    browser.accessible("a job")
    browser.press("Cancel")
    assert "The job is cancelled." in browser.text()
    _, text = call(f"{ADMIN}/v1/functions/motto/invocations?async=1", {"prompt": "x", "tone": "none such"})
    job = json.loads(text)["job"]
    browser.open(f"/console/jobs/{job}")
    browser.eventually("the failure", lambda: "failed" in browser.text() or browser.driver.refresh())
    browser.press("Retry")
    assert "queued again" in browser.text()


def data(browser):
    browser.open("/console/data")
    picture = next(row for row in browser.all("main table tbody tr") if "image/" in row.text)
    picture.find_element("css selector", "a").click()
    shown = "const image = document.querySelector('.preview img'); return image && image.complete && image.naturalWidth"
    browser.eventually("the picture", lambda: browser.run(shown))
    browser.accessible("a blob")
    browser.quiet("a blob")
    browser.open("/console/data")
    browser.find("#user").send_keys("7", Keys.ENTER)
    browser.eventually("the shard", lambda: "User 7" in browser.text("h1"))
    browser.find("main table a").click()
    browser.eventually("the records", lambda: "version 1" in browser.text())
    assert "<script>alert(1)</script>" in browser.text(), "what a user wrote is not shown as it is"
    browser.accessible("records")
    browser.quiet("records")


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
    browser.open("/console/invocations?search=" + urllib.parse.quote(HOSTILE))
    Select(browser.find("#outcome")).select_by_visible_text("failed")
    browser.find("form.bar button").click()
    browser.eventually("the filter", lambda: "outcome=" in browser.driver.current_url)
    assert browser.find("#search").get_attribute("value") == HOSTILE
    browser.quiet("a hostile search")


def security():
    form = {"content-type": "application/x-www-form-urlencoded"}
    pause = f"{ADMIN}/console/schedule/pause/evening"
    for headers in [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "same-site"},
                    {"host": "evil.example"}]:
        status, _ = call(pause, b"", {**form, **headers})
        assert status == 403, f"{headers}: {status}"
    status, text = call(f"{ADMIN}/console/functions/none")
    assert status == 404 and "There is no function none." in text, text
    _, text = call(f"{ADMIN}/console/schedules")
    assert "style=" not in text and "onclick" not in text and "http://" not in text.replace("http://www.w3.org", "")


def screenshots(browser, folder):
    for name, page, scheme, width in [
        ("overview", "", "light", 1280), ("schedules", "/schedules", "dark", 1280),
        ("invocations", "/invocations", "light", 390),
    ]:
        browser.prefer(scheme)
        browser.size(width, 844 if width < 500 else 860)
        browser.open(f"/console{page}")
        time.sleep(1.5)
        browser.driver.save_screenshot(f"{folder}/{name}.png")


def main():
    prepare()
    browser = Browser(ADMIN)
    try:
        for step in [every_page, keyboard, live, try_it, queues, data, schedules, ten_thousand]:
            began = time.monotonic()
            step(browser)
            print(f"{step.__name__}: {time.monotonic() - began:.1f} s")
        security()
        if "--screenshots" in sys.argv:
            screenshots(browser, sys.argv[sys.argv.index("--screenshots") + 1])
    finally:
        browser.close()


if __name__ == "__main__":
    main()
