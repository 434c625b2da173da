#!/usr/bin/env python3
"""Signs in to the console of a host with a token, by the keyboard, and out again.

    login.py ADMIN TOKEN
"""

import sys

from browser import Browser
from selenium.webdriver.common.keys import Keys

ADMIN, TOKEN = sys.argv[1:3]


def main():
    browser = Browser(ADMIN)
    try:
        browser.open("/console/workers")
        assert browser.driver.current_url.endswith("/console/login"), browser.driver.current_url
        browser.accessible("the login")
        browser.find("#token").send_keys("wrong", Keys.ENTER)
        browser.eventually("the refusal", lambda: browser.all("#wrong"))
        # The browser tells of a page whose status is 403, too.
        browser.driver.get_log("browser")
        browser.accessible("a login that was refused")
        browser.find("#token").send_keys(TOKEN, Keys.ENTER)
        browser.eventually("the overview", lambda: browser.text("h1") == "Overview")
        browser.eventually("the stream", lambda: browser.text("#live") == "live")
        browser.quiet("the first page")
        [cookie] = browser.driver.get_cookies()
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/console", cookie
        port = ADMIN.rsplit(":", 1)[1]
        assert cookie["name"].endswith(f"_{port}") and TOKEN not in cookie["value"], cookie
        assert browser.run("return document.cookie") == ""
        browser.press("Sign out", within="header")
        assert browser.driver.current_url.endswith("/console/login") and not browser.driver.get_cookies()
        browser.open("/console")
        assert browser.driver.current_url.endswith("/console/login")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
