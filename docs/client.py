"""A client of Grabpic, in Python 3.11 without anything else: see client.md for how to run it."""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

AT_ONCE = 20  # photos in one request
TOLERANCE = 300  # seconds that a webhook may be old: an older one may be a copy that somebody sends again


class Grabpic:
    """One event of a site, with an API key that has the scopes read, upload and search."""

    def __init__(self, site: str, key: str, event: str) -> None:
        self.api, self.key, self.event = f"{site.rstrip('/')}/api/v1", f"Api-Key {key}", quote(event, safe="")

    def ask(
        self, path: str, body: bytes | None = None, kind: str = "application/json", who: str = "", **headers: str
    ) -> bytes:
        """Return what the API answers, a POST where there is a body; end the program with its sentence for an error."""
        request = Request(self.api + path, body, {"Content-Type": kind, **headers})  # noqa: S310
        # Not shown to a bucket to which the site leads for a file.
        request.add_unredirected_header("Authorization", who or self.key)
        try:
            with urlopen(request, timeout=120) as response:  # noqa: S310
                return bytes(response.read())
        except HTTPError as error:
            if error.code == 429:  # too many at once
                time.sleep(int(error.headers["Retry-After"]))
                return self.ask(path, body, kind, who, **headers)
            sys.exit(f"{error.code}: {error.read().decode()}")

    def upload(self, folder: Path) -> None:
        """Send the photos that the event has not got yet."""
        files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        photos = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files}
        hashes, known = list(photos), set()
        for start in range(0, len(hashes), 1000):
            body = json.dumps({"sha256": hashes[start : start + 1000]}).encode()
            known |= set(json.loads(self.ask(f"/events/{self.event}/known", body))["known"])
        new = [name for name in hashes if name not in known]
        logging.info("%d photos, of which the event has %d", len(photos), len(known))
        for start in range(0, len(new), AT_ONCE):
            batch = new[start : start + AT_ONCE]
            body, kind = form("files", [photos[name] for name in batch])
            once = hashlib.sha256(body).hexdigest()  # sent twice, it is done once
            answer = json.loads(self.ask(f"/upload?event={self.event}", body, kind, **{"Idempotency-Key": once}))
            logging.info("%d uploaded", answer["uploaded"])
            for refused in answer["errors"]:
                logging.info("%(file)s: %(detail)s", refused)

    def wait(self) -> None:
        """Wait until every photo was looked at, and every face has its person."""
        while (now := json.loads(self.ask(f"/events/{self.event}/progress")))["pending"]:
            logging.info("%d of %d photos to go, %s seconds", now["pending"], now["images"], now["seconds_left"])
            time.sleep(1)
        while "pending" in json.loads(self.ask(f"/ingest?event={self.event}", b"{}")):
            time.sleep(1)
        logging.info("%d photos, %d people", now["images"], now["persons"])

    def find(self, selfie: Path, folder: Path) -> None:
        """Find somebody by a selfie, and fetch their photos into a folder."""
        found = json.loads(self.ask(f"/auth/selfie?event={self.event}", *form("file", [selfie])))
        logging.info("%s is in %d photos, confidence %.2f", found["grab_id"], found["total"], found["confidence"])
        token = f"Bearer {found['token']}"
        folder.mkdir(parents=True, exist_ok=True)
        for image in json.loads(self.ask(f"/users/{found['grab_id']}/images", who=token))["images"]:
            path = folder / f"{image['image_id']}{Path(image['file_path']).suffix}"
            path.write_bytes(self.ask(f"/storage/{quote(image['file_path'])}", who=token))
            logging.info("%s", path)


def form(field: str, paths: list[Path]) -> tuple[bytes, str]:
    """Return files as a form (multipart/form-data) in one body, always the same for the same files, and its kind."""
    boundary = uuid.uuid5(uuid.NAMESPACE_URL, "".join(map(str, paths))).hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="%s"\r\n\r\n'
    parts = [(head % path.name.replace('"', "%22")).encode() + path.read_bytes() + b"\r\n" for path in paths]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether a webhook was signed with this secret, and just now; the body as it came, not parsed."""
    message_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, f"{message_id}.{sent_at}.".encode() + body, "sha256"))
    signatures = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(b"v1," + expected, signature.encode()) for signature in signatures)


def listen(port: int, secret: str) -> None:
    """Receive webhooks until Ctrl-C. The same message may come twice: remember each `webhook-id` that was seen to."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1_000_000))
            is_genuine = verify(secret, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(204 if is_genuine else 400)
            self.end_headers()
            logging.info("%s", json.loads(body) if is_genuine else "Refused: the signature is wrong.")

    logging.info("Listening on http://127.0.0.1:%d/", port)
    HTTPServer(("127.0.0.1", port), Receiver).serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", default=os.environ.get("GRABPIC_SITE", "http://127.0.0.1:8000"))
    parser.add_argument("--key", default=os.environ.get("GRABPIC_KEY"), help="default: the variable GRABPIC_KEY")
    parser.add_argument("--event", default="demo", help="the event's slug")
    parser.add_argument("--upload", type=Path, metavar="FOLDER", help="send the photos of a folder, and wait")
    parser.add_argument("--find", type=Path, metavar="SELFIE", help="find somebody, and fetch their photos")
    parser.add_argument("--to", type=Path, metavar="FOLDER", default=Path("found"), help="where to put these")
    parser.add_argument("--listen", type=int, metavar="PORT", help="receive webhooks")
    parser.add_argument("--secret", default=os.environ.get("GRABPIC_SECRET", ""), help="of the webhook")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    client = Grabpic(options.site, options.key, options.event)
    if options.upload:
        client.upload(options.upload)
        client.wait()
    if options.find:
        client.find(options.find, options.to)
    if options.listen:
        listen(options.listen, options.secret)


if __name__ == "__main__":
    main()
