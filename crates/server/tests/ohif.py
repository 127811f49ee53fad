"""Opens studies of a running service in the built OHIF viewer, in Debian's Chromium, and takes pictures.

    python ohif.py http://127.0.0.1:8080 target/web-clients/ohif/dist OUT

OHIF's files and the service's /dicomweb are served under one origin. Fails unless every request to /dicomweb succeeds and
each study's viewport shows an image; the pictures are for a person to look at.
"""

import io
import json
import mimetypes
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

service, dist, out = sys.argv[1].rstrip("/"), Path(sys.argv[2]), Path(sys.argv[3])
CONFIG = """window.config = {
  routerBasename: '/', extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 2,
  showLoadingIndicator: true, defaultDataSourceName: 'dicomweb', investigationalUseDialog: { option: 'never' },
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'lobule', name: 'lobule', wadoUriRoot: '/dicomweb', qidoRoot: '/dicomweb', wadoRoot: '/dicomweb',
      qidoSupportsIncludeField: true, supportsFuzzyMatching: false, supportsWildcard: true,
      imageRendering: 'wadors', thumbnailRendering: 'wadors', enableStudyLazyLoad: true, omitQuotationForMultipartRequest: true,
      bulkDataURI: { enabled: true },
    },
  }],
};"""
answers = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/dicomweb"):
            return self.passed_on()
        if path == "/app-config.js":
            return self.answer(200, "text/javascript", CONFIG.encode())
        file = dist / path.lstrip("/")
        if not file.is_file():
            file = dist / "index.html"
        kind = "application/wasm" if file.suffix == ".wasm" else mimetypes.guess_type(file)[0] or "application/octet-stream"
        self.answer(200, kind, file.read_bytes())

    def passed_on(self):
        headers = {name: value for name, value in self.headers.items() if name.lower() in ("accept", "host")}
        try:
            with urllib.request.urlopen(urllib.request.Request(service + self.path, headers=headers)) as answer:
                status, kind, body = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, body = error.code, error.headers.get("Content-Type", ""), error.read()
        # OHIF 3.13.2 takes the first letter of VOI LUT Function for the whole of it ("Invalid VOI LUT function") and shows nothing,
        # from whatever server. LINEAR is what holds where nothing is said.
        body = body.replace(b'"00281056":{"vr":"CS","Value":["LINEAR"]},', b"") if self.path.endswith("/metadata") else body
        answers.append((status, self.path, headers.get("Accept") or headers.get("accept"), body[:200] if status >= 400 else b""))
        self.answer(status, kind, body)

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(body)


def studies():
    with urllib.request.urlopen(service + "/dicomweb/studies") as answer:
        return [(s["0020000D"]["Value"][0], s["00080061"]["Value"]) for s in json.load(answer)]


def shows_something(picture):
    """Whether the middle of the page has an image: many shades."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    middle = pixels[200:-100, 350:-350]
    return len(np.unique(middle)) > 60 and middle.std() > 8


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{server.server_port}"
out.mkdir(parents=True, exist_ok=True)
failures = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
    )
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.on("console", lambda message: message.type == "error" and print("console:", message.text[:200]))
    page.on("pageerror", lambda error: print("page:", str(error)[:200]))
    page.goto(origin + "/", wait_until="domcontentloaded", timeout=120_000)
    page.wait_for_timeout(8000)
    page.screenshot(path=out / "ohif-list.png")
    for uid, modalities in studies():
        page.goto(f"{origin}/viewer?StudyInstanceUIDs={uid}", wait_until="domcontentloaded", timeout=120_000)
        name = "-".join(modalities[:2]).lower()
        shown = False
        for _ in range(60):
            page.wait_for_timeout(2000)
            picture = page.screenshot(path=out / f"ohif-{name}.png")
            if shows_something(picture):
                shown = True
                break
        skip = page.get_by_text("Skip all")
        if skip.count():
            skip.first.click()
        page.wait_for_timeout(4000)
        page.screenshot(path=out / f"ohif-{name}.png")
        print(name, "shown" if shown else "NOT shown", out / f"ohif-{name}.png")
        if not shown:
            failures.append(name)
    browser.close()
refused = [answer for answer in answers if not 200 <= answer[0] < 300]
print(len(answers), "requests to /dicomweb,", len(refused), "refused")
kinds = sorted({(path.split("?")[0].split("/")[-2 if "frames" in path else -1][:20], accept) for _, path, accept, _ in answers}, key=str)
for kind in kinds:
    print("  ", kind)
for answer in refused[:20]:
    print("  refused:", answer)
frames = [path for status, path, _, _ in answers if "/frames/" in path and status == 200]
assert frames, "no frame was asked for"
assert not refused and not failures, failures
