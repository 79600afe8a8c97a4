"""A browser without a window, driven by chromedriver over its protocol (W3C WebDriver); skipped where there is none."""

import json
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

RIGHT, DOWN, TAB = "\ue014", "\ue015", "\ue004"  # keys
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # what the protocol calls an element's name
PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]
needs_browser = pytest.mark.skipif(not all(PROGRAMS), reason="no Chromium with chromedriver here")


class Browser:
    """A session; `ask` sends one command of the protocol."""

    def __init__(self, server, scripts):
        self.server, self.session = server, ""
        options = {"binary": PROGRAMS[0], "args": ["--headless", "--no-sandbox", "--disable-gpu"]}
        if not scripts:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        self.session = f"/session/{self.ask('POST', '/session', wanted)['sessionId']}"

    def ask(self, method, command, about=None):
        body = None if about is None else json.dumps(about).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self.server + self.session + command, body, headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path):
        self.ask("POST", "/url", {"url": path.as_uri()})

    def text(self, selector):
        return self.ask("GET", f"/element/{self._find(selector)}/text")

    def press(self, selector, keys):
        self.ask("POST", f"/element/{self._find(selector)}/value", {"text": keys})

    def evaluate(self, script):
        return self.ask("POST", "/execute/sync", {"script": f"return {script}", "args": []})

    def _find(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]


@contextmanager
def browser(scripts=True):
    """A session that ends with its block; pages run their scripts or do not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen([PROGRAMS[1], f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                with urlopen(f"{server}/status", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        session = Browser(server, scripts)
        yield session
        session.ask("DELETE", "")
    finally:
        driver.terminate()
        driver.wait(30)
