#!/usr/bin/env python3
"""Looks at builds and at replies that are no text, in the console of a host whose compiler is a script.

    build.py ADMIN COMPILER SOURCE

In the folder COMPILER `hold` has the compiler wait, and `broken` is what it says of the sources.
"""

import json
import pathlib
import sys

from browser import Browser
from selenium.webdriver.common.keys import Keys

ADMIN = sys.argv[1]
COMPILER, SOURCE = map(pathlib.Path, sys.argv[2:4])
PAGES = ["", "/functions", "/functions/echo", "/invocations", "/schedules", "/queues", "/workers", "/streams", "/data"]
# Both of bytes that are ASCII, as an event's body is a text: a picture of one pixel, and fifty samples of silence.
GIF = "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
WAV = "RIFFV\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data2\0\0\0" + "\x7f" * 50


def save(text):
    SOURCE.write_text(f"// {text}\n")


def builds(browser):
    strip = lambda: browser.text("#build")
    browser.open("/console")
    browser.eventually("the stream", lambda: browser.text("#live") == "live")
    (COMPILER / "hold").touch()
    save("one")
    browser.eventually("a build under way", lambda: "Building" in strip())
    first = strip()
    browser.eventually("its seconds", lambda: "Building" in strip() and strip() != first)
    for page in PAGES:
        browser.open(f"/console{page}")
        assert "Building" in strip(), page
    browser.accessible("a build under way")
    (COMPILER / "broken").write_text(f"{SOURCE}:7:12: error: cannot find '</li><script>' in scope\n")
    (COMPILER / "hold").unlink()
    browser.eventually("the failure", lambda: "The build failed" in strip())
    for scheme in ["light", "dark"]:
        browser.prefer(scheme)
        for page in PAGES:
            browser.open(f"/console{page}")
            assert f"{SOURCE.parent.name}/{SOURCE.name}:7:12" in browser.text("#build code"), page
            assert "cannot find '</li><script>' in scope" in strip(), page
        browser.accessible(f"a failed build, {scheme}")
    browser.size(390, 844)
    browser.fits("a failed build on a phone")
    browser.size(1280, 900)
    browser.prefer()
    # What was built before serves on.
    assert reply(browser, "text/plain", "still here")[0] == "200" and browser.text("#reply-text") == "still here"
    (COMPILER / "broken").unlink()
    save("two")
    browser.eventually("its success", lambda: "Built in" in strip() and "echo" in strip())
    browser.accessible("a build that is done")
    browser.eventually("the end of the news", lambda: strip() == "", 30)
    browser.quiet("builds")


def reply(browser, kind, body):
    """What the function that sends its event back replies, tried by the keyboard alone."""
    event = {"kind": "http", "request": {"method": "POST", "target": "/echo", "headers": [
        {"name": "content-type", "value": kind}]}, "body": body}
    if not browser.driver.current_url.endswith("/functions/echo"):
        browser.open("/console/functions/echo")
    field = browser.find("#event")
    field.clear()
    field.send_keys(json.dumps(event))
    field.send_keys(Keys.CONTROL, Keys.ENTER)
    browser.eventually("the reply", lambda: browser.find("#reply-link").is_displayed())
    return browser.text("#reply-status"), browser.text("#reply-facts")


def replies(browser):
    media = lambda script: browser.eventually("the preview", lambda: browser.run("return " + script))
    status, facts = reply(browser, "image/gif", GIF)
    assert status == "200" and f"{len(GIF)} B" in facts, (status, facts)
    media("document.querySelector('#reply-media img').naturalWidth === 1")
    assert not browser.find("#reply-text").is_displayed()
    browser.accessible("a picture as a reply")
    reply(browser, "audio/wav", WAV)
    media("document.querySelector('#reply-media audio').duration > 0")
    assert not browser.all("#reply-media img"), "the last reply is still there"
    browser.accessible("a sound as a reply")
    reply(browser, "application/zip", "PK\3\4")
    assert "no preview" in browser.text("#reply-media")
    assert browser.find("#reply-file").get_attribute("href").startswith("blob:")
    # What could act is text.
    reply(browser, "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    assert "<script>" in browser.text("#reply-text") and not browser.all("#reply-media *")
    reply(browser, "application/json", '{"id": 12345678901234567890, "empty": {}, "list": [1.0, "a: {b,"]}')
    assert browser.text("#reply-text") == (
        '{\n  "id": 12345678901234567890,\n  "empty": {},\n  "list": [\n    1.0,\n    "a: {b,"\n  ]\n}'
    ), browser.text("#reply-text")
    browser.quiet("replies")


def main():
    browser = Browser(ADMIN)
    try:
        builds(browser)
        replies(browser)
    finally:
        browser.close()


if __name__ == "__main__":
    main()
