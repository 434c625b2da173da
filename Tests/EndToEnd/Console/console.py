#!/usr/bin/env python3
"""Uses the console of a running development host in Chromium, every page and every action.

    console.py ADMIN GATEWAY [--screenshots FOLDER]
"""

import datetime
import http.client
import json
import sys
import time
import urllib.request

from browser import Browser
from host import ADMIN, GATEWAY, HOSTILE, call, motto
from volume import ten_thousand
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

PAGES = ["", "/functions", "/functions/motto", "/invocations", "/schedules", "/schedules/market.trading", "/queues",
         "/workers", "/streams", "/data"]


def submit(user):
    """Answers of which no script can be made: the event that tells of them becomes a dead letter."""
    answers = {"hero": "Mara", "age": 9, "place": "a lighthouse", "wish": HOSTILE}
    status, text = call(f"{GATEWAY}/v1/users/{user}/questionnaires/story/answers", {"answers": answers})
    assert status < 300, text


def prepare():
    for _ in range(3):
        status, text = motto()
        assert status == 200, text
    call(f"{GATEWAY}/v1/mottos", {"prompt": "a lamp", "tone": "none such", "count": 1})
    call(f"{GATEWAY}/v1/personas", {"name": "Ada", "prompt": "an engineer"})
    submit(7)


def every_page(browser):
    for scheme in ["light", "dark"]:
        browser.prefer(scheme)
        for page in PAGES:
            browser.open(f"/console{page}")
            assert browser.all("h1"), page
            browser.fits(page)
            browser.accessible(f"{page} {scheme}")
    for width in [700, 980]:
        browser.size(width, 800)
        for page in PAGES:
            browser.open(f"/console{page}")
            browser.fits(f"{page} at {width}")
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
    for page in PAGES:
        browser.open(f"/console{page}")
        stops = 0
        while stops < 25:
            browser.keys(Keys.TAB)
            seen, name, text = browser.run(
                "const active = document.activeElement, style = getComputedStyle(active);"
                "const place = active.getBoundingClientRect();"
                "const seen = style.outlineStyle !== 'none' && place.bottom > 0 && place.top < innerHeight;"
                "return [seen, active.tagName, active.outerHTML]"
            )
            if name == "BODY":
                break
            assert seen, f"{page}: {text}"
            stops += 1
        wanted = browser.run(
            "return [...document.querySelectorAll('a[href], :enabled')]"
            ".filter((stop) => stop.checkVisibility()).length"
        )
        assert stops >= min(wanted, 25), f"{page}: {stops} of {wanted} stops"
    # A schedule is paused and resumed without a mouse, and the place in the page is kept.
    for name in ["Pause", "Resume"]:
        browser.open("/console/schedules")
        is_active = lambda: browser.run("return document.activeElement.innerText").startswith(name)
        for _ in range(60):
            browser.keys(Keys.TAB)
            if is_active():
                break
        assert is_active(), f"{name} cannot be reached"
        # Parts that come anew take the focus with them.
        time.sleep(1.5)
        assert is_active(), "the focus was lost"
        browser.keys(Keys.SPACE)
        browser.eventually("the notice", lambda: browser.all("main .note.good"))


def live(browser):
    browser.open("/console")
    browser.eventually("the stream", lambda: browser.text("#live") == "live")
    row = lambda: next(text for text in browser.texts("#functions tbody tr") if text.startswith("motto"))
    before = row()
    began = time.monotonic()
    motto()
    browser.eventually("a row that changes", lambda: row() != before)
    print(f"a change is seen after {time.monotonic() - began:.1f} s")
    browser.open("/console/invocations?function=motto")
    first = lambda: browser.run("return document.querySelector('#rows a').href")
    newest = first()
    motto()
    browser.eventually("a new invocation", lambda: first() != newest)


def samples(browser):
    """The form offers the events of `swiftlet invoke --sample`, one for every trigger of every function."""
    # Some tell the time.
    call(f"{ADMIN}/v1/clock", {"speed": 0})
    for function in [function["name"] for function in json.loads(call(f"{ADMIN}/v1/functions")[1])["functions"]]:
        wanted = json.loads(call(f"{ADMIN}/v1/functions/{function}/samples")[1])["samples"]
        browser.open(f"/console/functions/{function}")
        offered = [json.loads(option.get_attribute("data-event")) for option in browser.all("#sample option")]
        first = json.loads(browser.find("#event").get_attribute("value"))
        assert (offered or [first]) == wanted and first == wanted[0], function
    call(f"{ADMIN}/v1/clock", {"speed": 1})
    # The schema's example is enough to begin with.
    browser.open("/console/functions/motto")
    browser.find("#try button[type=submit]").click()
    browser.eventually("the reply", lambda: browser.find("#reply-link").is_displayed())
    assert browser.text("#reply-status") == "200" and "a lighthouse" in browser.find("#event").get_attribute("value")
    browser.open("/console/functions/questionnaire")
    Select(browser.find("#sample")).select_by_visible_text("GET /v1/questionnaires · definitions")
    browser.find("#try button[type=submit]").click()
    browser.eventually("the reply", lambda: browser.find("#reply-link").is_displayed())
    assert browser.text("#reply-status") == "200" and "story" in browser.text("#reply-text")
    browser.find("#reply-head summary").click()
    assert "content-type: application/json" in browser.text("#reply-headers")
    browser.accessible("a reply with its headers")
    # What is no event is refused in words.
    browser.find("#event").clear()
    browser.find("#event").send_keys("{")
    browser.find("#try button[type=submit]").click()
    browser.eventually("the refusal", lambda: "not JSON" in browser.text("#reply-text"))
    browser.driver.get_log("browser")


def counts(browser):
    """What is in flight is counted live; a function whose provider hangs keeps it so."""
    browser.open("/console/functions")
    flying = "const card = [...document.querySelectorAll('.card')].find((card) => card.querySelector('h2').textContent"
    flying += " === 'motto'); return card.querySelectorAll('.counts dd')[2].textContent"
    assert browser.run(flying) == "0"
    call(f"{ADMIN}/v1/faults", {"provider": "hang", "function": "motto"})
    connection = http.client.HTTPConnection(GATEWAY.split("//")[1], timeout=30)
    connection.request("POST", "/v1/mottos", json.dumps({"prompt": "a", "tone": "calm", "count": 1}),
                       {"content-type": "application/json"})
    browser.eventually("one in flight", lambda: browser.run(flying) == "1")
    browser.accessible("functions at work")
    connection.close()
    browser.eventually("none in flight", lambda: browser.run(flying) == "0")
    browser.quiet("counts")


def replay(browser):
    call(f"{ADMIN}/v1/faults", {"provider": "500", "function": "motto", "count": 100})
    status, text = motto()
    call(f"{ADMIN}/v1/faults", method="DELETE")
    assert status >= 400, text
    browser.open("/console/invocations?function=motto&outcome=error,failed")
    browser.click("#rows a")
    browser.eventually("the invocation", lambda: "What happened" in browser.text())
    browser.accessible("a failed invocation")
    failed = browser.driver.current_url.split("/")[-1]
    browser.press("Replay")
    assert "everything was the same" in browser.text() and failed in browser.text("main"), browser.text()
    browser.open(f"/console/invocations/{failed}")
    assert "Replays" in browser.text()


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
    assert "text." in browser.text(".phases"), "its call is not in the picture"
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


def traces(browser):
    browser.open("/console/invocations?function=persona-image")
    browser.click("#rows a")
    browser.eventually("the invocation", lambda: "What happened" in browser.text())
    browser.click("dl a[href^='/console/traces/']")
    browser.eventually("the trace", lambda: "complete" in browser.text("p.lead"))
    names = browser.texts(".waterfall .span-name")
    assert any("images." in name for name in names), names
    browser.run("document.querySelector('.waterfall summary').focus()")
    browser.keys(Keys.ENTER)
    assert "began after" in browser.text(".waterfall li"), "a row does not open by the keyboard"
    for scheme, width in [("light", 1280), ("dark", 1280), ("dark", 390)]:
        browser.prefer(scheme)
        browser.size(width, 844)
        browser.fits(f"a trace, {scheme}, {width} px")
        browser.accessible(f"a trace, {scheme}, {width} px")
    browser.size(1280, 900)
    browser.prefer()
    browser.quiet("a trace")


def schedules(browser):
    def now():
        return datetime.datetime.fromisoformat(browser.text("#clock time"))

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
    for name, word, seconds in [("advance", "an hour", 3600), ("speed", "60 times as fast", 30)]:
        before = now()
        Select(browser.find(f"#{name}")).select_by_visible_text(word)
        browser.press("Set the clock")
        browser.eventually("the clock", lambda: (now() - before).total_seconds() >= seconds)
    Select(browser.find("#speed")).select_by_visible_text("as fast as time")
    browser.press("Set the clock")
    browser.find("#set").send_keys("no instant")
    browser.press("Set the clock", refused=True)
    assert "That did not work" in browser.text()


def queues(browser):
    def letters():
        browser.open("/console/queues")
        browser.eventually("a dead letter", lambda: "Look" in browser.text("#sources"), 60)
        browser.click("#sources a", "Look")
        browser.eventually("the letters", lambda: "Dead letters" in browser.text("h1"))

    letters()
    browser.accessible("dead letters")
    for name, within, words in [("Redrive", "tbody", "queued again"), ("Redrive all", "main", "queued again"),
                                ("Purge", "tbody", "are gone")]:
        letters()
        browser.press(name, within=within)
        assert words in browser.text(), name
    submit(8)
    letters()
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
    browser.eventually("the failure again", lambda: "failed" in browser.text() or browser.driver.refresh())
    browser.open("/console/queues")
    browser.press("Redrive", within="#counts")
    assert "queued again" in browser.text()


def data(browser):
    browser.open("/console/data")
    picture = next(row for row in browser.all("main table tbody tr") if "image/" in row.text)
    picture.find_element("css selector", "a").click()
    shown = "const image = document.querySelector('.preview img'); return image && image.complete && image.naturalWidth"
    browser.eventually("the picture", lambda: browser.run(shown))
    browser.accessible("a blob")
    saved = browser.find("main a[download]").get_attribute("href")
    with urllib.request.urlopen(saved) as answer:
        kind, place = answer.headers["content-type"], answer.headers["content-disposition"]
        assert (kind, place) == ("application/octet-stream", "attachment") and answer.read(4) == b"\x89PNG", (kind, place)
    browser.quiet("a blob")
    browser.open("/console/data")
    browser.find("#user").send_keys("7", Keys.ENTER)
    browser.eventually("the shard", lambda: "User 7" in browser.text("h1"))
    browser.open("/console/data")
    browser.click("main table a", "User 7")
    browser.eventually("the shard", lambda: "User 7" in browser.text("h1"))
    browser.find("main table a").click()
    browser.eventually("the records", lambda: "version 1" in browser.text())
    assert "<script>alert(1)</script>" in browser.text(), "what a user wrote is not shown as it is"
    browser.accessible("records")
    browser.quiet("records")


def security():
    form = {"content-type": "application/x-www-form-urlencoded"}
    foreign = [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "same-site"},
               {"host": "evil.example"}, {"host": "127.0.0.1.evil.example"}]
    for change in ["invoke/motto", "schedule/pause/evening", "schedule/resume/evening", "schedule/trigger/evening", "clock",
                   "replay/any", "job/retry/any", "job/cancel/any", "jobs/redrive?function=motto", "login", "logout",
                   "dead-letters/redrive?key=any", "dead-letters/purge?key=any"]:
        for headers in foreign:
            status, _ = call(f"{ADMIN}/console/{change}", b"", {**form, **headers})
            assert status == 403, f"{change} {headers}: {status}"
    for page in PAGES + ["/live/overview", "/live/frame", "/blob/content?key=a", "/assets/console.js"]:
        for headers in foreign:
            status, _ = call(f"{ADMIN}/console{page}", headers=headers)
            assert status == 403, f"{page} {headers}: {status}"
    with urllib.request.urlopen(f"{ADMIN}/console") as answer:
        policy = answer.headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["script-src"] == "'self'" and rules["style-src"] == "'self'", policy
    assert rules["frame-ancestors"] == "'none'" and rules["base-uri"] == "'none'" and "unsafe" not in policy, policy
    status, text = call(f"{ADMIN}/console/functions/none")
    assert status == 404 and "There is no function none." in text, text
    _, text = call(f"{ADMIN}/console/schedules")
    assert "style=" not in text and "onclick" not in text and "http://" not in text.replace("http://www.w3.org", "")


def screenshots(browser, folder):
    for name, page, scheme, width in [
        ("overview", "", "light", 1280), ("schedules", "/schedules", "dark", 1280),
        ("function", "/functions/motto", "light", 1280), ("invocations", "/invocations", "light", 390),
    ]:
        browser.prefer(scheme)
        browser.size(width, 844 if width < 500 else 920)
        browser.open(f"/console{page}")
        if name == "function":
            browser.find("#try button[type=submit]").click()
        time.sleep(1.5)
        browser.driver.save_screenshot(f"{folder}/{name}.png")


def main():
    prepare()
    browser = Browser(ADMIN)
    try:
        for step in [every_page, keyboard, live, counts, samples, try_it, traces, replay, queues, data, schedules, ten_thousand]:
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
