"""Who may do what: a row for every address and method of the site, with what comes of it for whom.

A row reads: method, address, in an event of which access, who gets what, and what everybody else gets. In braces is
what differs from run to run (`world.py`). An outcome is the status and what is in the answer:

    ada may bob hid eve   a person: name, grab_id, a photo's number or name, the bytes of photo or face
    others                people of the other events that the same staff manages
    draft                 the name of an event that is not announced
    code                  the event's code
    link                  Ada's personal link
    gate                  a form that asks for the code
    login                 it leads to the login of staff
    changed               something was written

What is not named is not there: `200` alone shows nobody, and changes nothing. Who asks is in `actors.py`; where nobody
looks at tokens, keys or open galleries, one of them asks for all (`rows.py`).
"""

# ruff: noqa: E501  # a line for each row

from __future__ import annotations

from conftest import GREEN, RED, paint_photo
from faces import consent
from grabpic_site.tests.admin_endpoints import ADMIN_TABLE
from grabpic_site.tests.rows import (
    ADA,
    ALL,
    ALLOWED,
    API,
    BOB,
    DEAD_KEYS,
    DEAD_TOKENS,
    ENTERED,
    EVE,
    EVERYBODY,
    GUEST,
    HELPER,
    KEY_ELSEWHERE,
    KEY_OF_ALL,
    MANAGE,
    MANAGER,
    OF_BOB,
    OF_EVE,
    ORGANISER,
    READ,
    SEARCH,
    SHOWN_API,
    SOME,
    STAFF,
    STAFF_ELSEWHERE,
    STAFF_PAGE,
    SUPERUSER,
    TOKEN,
    TOKENS,
    UPLOAD,
    VISITORS,
    row,
)
from grabpic_site.tests.world import CODE

# fmt: off

PHOTO, SELFIE = paint_photo(GREEN, shade=7).getvalue(), paint_photo(RED, shade=8).getvalue()
AGREED = {"file": SELFIE, "consent": consent.VERSION}

PUBLIC = [
    row("GET", "/", "open", {STAFF: "200 draft"}, "200"),
    row("GET", "/privacy/", "draft", {EVERYBODY: "200"}),
    row("GET", "/credits/", "draft", {EVERYBODY: "200"}),
    row("GET", "/language/", "draft", {EVERYBODY: "302"}),
    row("POST", "/language/", "draft", {EVERYBODY: "302"}, form={"language": "de"}, is_checked=False),
    row("GET", "/language.js", "draft", {EVERYBODY: "200"}),
    row("GET", "/favicon.ico", "draft", {EVERYBODY: "302"}),
    row("GET", "/api/schema", "draft", {DEAD_KEYS: "401"}, "200", asks=SOME),
    row("GET", "/docs", "draft", {DEAD_KEYS: "401"}, "200", asks=SOME),
    row("GET", "/redoc", "draft", {DEAD_KEYS: "401"}, "200", asks=SOME),
    row("GET", "/api/v1/health", "draft", {EVERYBODY: "200"}, asks=SOME),
]

EVENT = "/events/{slug}/"
EVENT_PAGES = [
    row("GET", EVENT, "draft", {STAFF: "200"}),
    row("GET", EVENT, "selfie", {EVERYBODY: "200"}),
    row("GET", EVENT, "code", {ENTERED: "200"}, "200 gate"),
    row("GET", EVENT + "privacy/", "draft", {STAFF: "200"}),
    row("GET", EVENT + "privacy/", "code", {EVERYBODY: "200"}),
    row("GET", EVENT + "cover/", "draft", {STAFF: "200"}),
    row("GET", EVENT + "cover/", "code", {EVERYBODY: "200"}),
    row("GET", EVENT + "code/", "draft", {STAFF: "302"}),
    row("GET", EVENT + "code/", "code", {EVERYBODY: "302"}),
    row("POST", EVENT + "code/", "draft", {STAFF: "302"}, form={"code": CODE}),
    row("POST", EVENT + "code/", "code", {EVERYBODY: "302"}, form={"code": CODE}),
    row("POST", EVENT + "code/", "code", {ENTERED: "302"}, "403 gate", form={"code": "guessed"}),
    row("GET", EVENT + "news/", "draft", {STAFF: "200"}),
    row("GET", EVENT + "news/", "selfie", {EVERYBODY: "200"}),
    row("GET", EVENT + "news/", "code", {ENTERED: "200"}, "200 gate"),
    row("GET", EVENT + "photos/", "draft selfie", {STAFF: f"200 {ALL}"}),
    row("GET", EVENT + "photos/", "code", {STAFF: f"200 {ALL}", VISITORS: "404"}, "200 gate"),
    row("GET", EVENT + "photos/", "open", {EVERYBODY: f"200 {ALL}"}),
    row("GET", EVENT + "people/{bob.grab_id}/", "draft selfie", {STAFF: "200 bob"}),
    row("GET", EVENT + "people/{bob.grab_id}/", "code", {STAFF: "200 bob", VISITORS: "404"}, "200 gate"),
    row("GET", EVENT + "people/{bob.grab_id}/", "open", {EVERYBODY: "200 bob"}),
    row("GET", EVENT + "people/{hid.grab_id}/", "open", {EVERYBODY: "404"}),
    row("GET", EVENT + "people/{eve.grab_id}/", "open", {EVERYBODY: "404"}),
    row("GET", EVENT + "poster/", "open", {STAFF: "200"}, STAFF_PAGE),
    row("GET", EVENT + "upload/", "open", {STAFF: "200"}, STAFF_PAGE),
    row("POST", EVENT + "upload/", "open", {STAFF: "200 changed"}, STAFF_PAGE, form={"files": PHOTO}),
    row("GET", EVENT + "retry/", "open", {STAFF: "302"}, STAFF_PAGE),
    row("POST", EVENT + "retry/", "open", {STAFF: "302 changed"}, STAFF_PAGE),
]

ASKED = EVENT + "gallery/asked/"
GALLERIES = [
    row("GET", EVENT + "selfie/", "draft", {STAFF: "302"}),
    row("GET", EVENT + "selfie/", "selfie", {EVERYBODY: "302"}),
    row("GET", EVENT + "selfie/", "code", {ENTERED: "302"}, "200 gate"),
    row("POST", EVENT + "selfie/", "draft", {STAFF: "303 changed"}, form=AGREED),
    row("POST", EVENT + "selfie/", "selfie", {EVERYBODY: "303 changed"}, form=AGREED),
    row("POST", EVENT + "selfie/", "code", {ENTERED: "303 changed"}, "403 gate", form=AGREED),
    row("GET", EVENT + "gallery/", "draft", {STAFF: "302"}),
    row("GET", EVENT + "gallery/", "selfie", {ADA: "200 ada may link", BOB: "200 bob"}, "302"),
    row("GET", EVENT + "gallery/", "code", {ADA: "200 ada may link", BOB: "200 bob", STAFF | EVE | GUEST: "302"}, "200 gate"),
    row("POST", EVENT + "gallery/", "draft", {STAFF: "302"}),
    row("POST", EVENT + "gallery/", "selfie", {EVERYBODY: "302"}),
    row("POST", EVENT + "gallery/", "code", {ENTERED: "302"}, "403 gate"),
    row("POST", EVENT + "gallery/answer/", "draft", {STAFF: "302"}, form={"asked": "{may.witness}", "is_me": "yes"}),
    row("POST", EVENT + "gallery/answer/", "selfie", {ADA: "302 changed", BOB: "404"}, "302", form={"asked": "{may.witness}", "is_me": "yes"}),
    row("POST", EVENT + "gallery/answer/", "selfie", {ADA | BOB: "404"}, "302", form={"asked": "{hid.witness}", "is_me": "yes"}),
    row("POST", EVENT + "gallery/answer/", "code", {ADA: "302 changed", BOB: "404", STAFF | EVE | GUEST: "302"}, "403 gate", form={"asked": "{may.witness}", "is_me": "yes"}),
    row("GET", ASKED + "{may.witness}/", "draft", {EVERYBODY: "404"}),
    row("GET", ASKED + "{may.witness}/", "selfie", {ADA: "200 may"}),
    row("GET", ASKED + "{may.witness}/", "code", {ADA: "200 may", ENTERED - ADA: "404"}, "200 gate"),
    row("GET", ASKED + "{bob.witness}/", "selfie", {EVERYBODY: "404"}),
    row("POST", EVENT + "download/", "draft", {STAFF: "302"}),
    row("POST", EVENT + "download/", "selfie", {ADA: "200 ada", BOB: "200 bob"}, "302"),
    row("POST", EVENT + "download/", "code", {ADA: "200 ada", BOB: "200 bob", STAFF | EVE | GUEST: "302"}, "403 gate"),
    row("POST", EVENT + "download/", "draft", {STAFF: "200 bob"}, form={"image_id": "{bob.image_id}"}),
    row("POST", EVENT + "download/", "selfie", {STAFF | BOB: "200 bob"}, form={"image_id": "{bob.image_id}"}),
    row("POST", EVENT + "download/", "code", {STAFF | BOB: "200 bob", ADA | EVE | GUEST: "404"}, "403 gate", form={"image_id": "{bob.image_id}"}),
    row("POST", EVENT + "download/", "open", {EVERYBODY: "200 bob"}, form={"image_id": "{bob.image_id}"}),
    row("POST", EVENT + "download/", "open", {EVERYBODY: "404"}, form={"image_id": "{eve.image_id}"}),
    row("GET", EVENT + "my/{visitor.key}/", "draft", {STAFF: "302"}),
    row("GET", EVENT + "my/{visitor.key}/", "selfie", {EVERYBODY: "302"}),
    row("GET", EVENT + "my/{visitor.key}/", "code", {ENTERED: "302"}, "200 gate"),
    row("GET", EVENT + "forget/", "draft", {STAFF: "200"}),
    row("GET", EVENT + "forget/", "code", {EVERYBODY: "200"}),
    row("POST", EVENT + "forget/", "draft", {STAFF: "200"}, form={"person": "yes"}),
    row("POST", EVENT + "forget/", "code", {ADA: "200 changed", BOB: "409"}, "200", form={"person": "{ada.pk}"}),
    row("POST", EVENT + "forget/", "code", {ADA | BOB: "200 changed"}, "200"),
]

FILES = [
    row("GET", "/photos/{ada.image_id}/original/", "draft", {STAFF: "200 ada"}),
    row("GET", "/photos/{ada.image_id}/original/", "selfie code", {STAFF | ADA: "200 ada"}),
    row("GET", "/photos/{ada.image_id}/original/", "open", {EVERYBODY: "200 ada"}),
    row("GET", "/photos/{bob.image_id}/preview/", "draft", {STAFF: "200 bob"}),
    row("GET", "/photos/{bob.image_id}/preview/", "selfie code", {STAFF | BOB: "200 bob"}),
    row("GET", "/photos/{bob.image_id}/preview/", "open", {EVERYBODY: "200 bob"}),
    row("GET", "/photos/{may.image_id}/thumbnail/", "selfie code", {STAFF | ADA: "200 may"}),
    row("GET", "/photos/{hid.image_id}/thumbnail/", "selfie", {STAFF: "200 hid"}),
    row("GET", "/photos/{eve.image_id}/preview/", "open", {EVE | STAFF_ELSEWHERE | MANAGER | SUPERUSER: "200 eve"}),
]

V1 = "/api/v1/"
CLASSIC_API = [
    row("POST", V1 + "upload?event={slug}", "open", {STAFF | UPLOAD | KEY_OF_ALL: "200 changed"}, API, form={"files": PHOTO}),
    row("POST", V1 + "ingest?event={slug}", "open", {STAFF | UPLOAD | KEY_OF_ALL: "200 changed"}, API),
    row("GET", V1 + "events/{slug}/progress", "open", {STAFF | READ | KEY_OF_ALL: "200"}, API),
    row("POST", V1 + "events/{slug}/retry", "open", {STAFF | UPLOAD | KEY_OF_ALL: "200 changed"}, API),
    row("POST", V1 + "events/{slug}/known", "open", {STAFF | UPLOAD | KEY_OF_ALL: "200"}, API, json={"sha256": ["{ada.sha256}"]}),
]

ANSWERED, REFUSED_KEYS = STAFF | SEARCH | KEY_OF_ALL, {READ | UPLOAD | MANAGE: "403", DEAD_KEYS: "401", KEY_ELSEWHERE: "404"}
SELFIES_API = [
    row("POST", V1 + "auth/selfie?event={slug}", "draft", {ANSWERED: "200 ada", **REFUSED_KEYS}, form={"file": SELFIE}),
    row("POST", V1 + "auth/selfie?event={slug}", "selfie", REFUSED_KEYS, "200 ada", form={"file": SELFIE}),
    row("POST", V1 + "auth/selfie?event={slug}", "code", {ANSWERED: "200 ada", **REFUSED_KEYS}, "403", form={"file": SELFIE}),
    row("POST", V1 + "auth/selfie?event={slug}&code=guessed", "code", {ANSWERED: "200 ada", **REFUSED_KEYS}, "403", form={"file": SELFIE}),
    row("POST", V1 + f"auth/selfie?event={{slug}}&code={CODE}&boxes=true", "code", REFUSED_KEYS, "200 ada", form={"file": SELFIE}),
]

MANAGED, ELSEWHERE = STAFF | READ | KEY_OF_ALL, MANAGER | SUPERUSER | STAFF_ELSEWHERE | KEY_OF_ALL | KEY_ELSEWHERE
PEOPLE = V1 + "users/{{{}.grab_id}}/images"
STORAGE = V1 + "storage/{{{}}}"
IN_OPEN = {UPLOAD | SEARCH | MANAGE: "403", KEY_ELSEWHERE: "404", DEAD_KEYS | DEAD_TOKENS: "401"}
SHOWN_API_ROWS = [
    row("GET", PEOPLE.format("ada"), "draft", {MANAGED: "200 ada", TOKENS: "403"}, SHOWN_API),
    row("GET", PEOPLE.format("ada"), "selfie code", {MANAGED: "200 ada", TOKEN: "200 ada may", OF_BOB | OF_EVE: "403"}, SHOWN_API),
    row("GET", PEOPLE.format("ada"), "open", {TOKEN: "200 ada may", **IN_OPEN}, "200 ada"),
    row("GET", PEOPLE.format("bob"), "selfie code", {MANAGED | OF_BOB: "200 bob", TOKEN | OF_EVE: "403"}, SHOWN_API),
    row("GET", PEOPLE.format("hid"), "selfie open", {MANAGED: "200 hid", TOKENS: "403"}, SHOWN_API),
    row("GET", PEOPLE.format("eve"), "open", {ELSEWHERE | OF_EVE: "200 eve", TOKEN | OF_BOB: "403", HELPER | ORGANISER | READ: "404"}, SHOWN_API),
    row("GET", STORAGE.format("ada.file"), "draft", {MANAGED: "200 ada"}, SHOWN_API),
    row("GET", STORAGE.format("ada.file"), "selfie code", {MANAGED | TOKEN: "200 ada"}, SHOWN_API),
    row("GET", STORAGE.format("ada.file"), "open", IN_OPEN, "200 ada"),
    row("GET", STORAGE.format("may.preview"), "selfie code", {MANAGED | TOKEN: "200 may"}, SHOWN_API),
    row("GET", STORAGE.format("bob.thumbnail"), "selfie code", {MANAGED | OF_BOB: "200 bob"}, SHOWN_API),
    row("GET", STORAGE.format("hid.preview"), "selfie", {MANAGED: "200 hid"}, SHOWN_API),
    row("GET", STORAGE.format("eve.file"), "open", {ELSEWHERE | OF_EVE: "200 eve", HELPER | ORGANISER | READ: "404"}, SHOWN_API),
]

WATCHES, MANAGES = STAFF | READ | KEY_OF_ALL, ALLOWED | MANAGE | KEY_OF_ALL
SEES_PEOPLE, OTHERS = ALLOWED | READ | KEY_OF_ALL, STAFF_ELSEWHERE | KEY_ELSEWHERE
NEW_EVENT = {"slug": "new-run", "name": "New"}
ROWS_API = [
    row("GET", V1 + "events", "code", {STAFF | KEY_OF_ALL: "200 draft code", READ: "200 draft", OTHERS: "200"}, API),
    row("POST", V1 + "events", "code", {MANAGES | OTHERS: "201 changed"}, API, json=NEW_EVENT),
    row("GET", V1 + "events/{slug}", "draft open", {STAFF | KEY_OF_ALL: "200 code", READ: "200"}, API),
    row("PATCH", V1 + "events/{slug}", "open", {MANAGES: "200 code changed"}, API, json={"name": "Renamed"}),
    row("DELETE", V1 + "events/{slug}?confirm={confirm}", "open", {SUPERUSER | MANAGE | KEY_OF_ALL: "204 changed", STAFF_ELSEWHERE: "403"}, API),
    row("GET", V1 + "images", "code", {HELPER | ORGANISER | READ: f"200 {ALL} others", MANAGER | SUPERUSER | KEY_OF_ALL: f"200 {ALL} others eve", OTHERS: "200 eve"}, API),
    row("GET", V1 + "images?event={slug}", "draft open", {WATCHES: f"200 {ALL}"}, API),
    row("GET", V1 + "images/{ada.image_id}", "open", {WATCHES: "200 ada"}, API),
    row("DELETE", V1 + "images/{ada.image_id}", "open", {MANAGES: "204 changed"}, API),
    row("GET", V1 + "faces", "code", {ORGANISER | READ: f"200 {ALL} others", SUPERUSER | KEY_OF_ALL: f"200 {ALL} others eve", OTHERS: "200 eve"}, API),
    row("GET", V1 + "faces?event={slug}", "draft open", {SEES_PEOPLE: f"200 {ALL}"}, API),
    row("GET", V1 + "faces/{ada.grab_id}", "open", {SEES_PEOPLE: "200 ada"}, API),
    row("PATCH", V1 + "faces/{ada.grab_id}", "open", {MANAGES: "200 ada changed"}, API, json={"hidden": True}),
    row("DELETE", V1 + "faces/{ada.grab_id}", "open", {MANAGES: "200 changed"}, API),
    row("POST", V1 + "faces/{ada.grab_id}/merge", "open", {MANAGES: "200 bob changed"}, API, json={"grab_ids": ["{bob.grab_id}"]}),
    row("POST", V1 + "faces/{ada.grab_id}/merge", "open", {MANAGE | ORGANISER: "404", SUPERUSER | KEY_OF_ALL: "409"}, API, json={"grab_ids": ["{eve.grab_id}"]}),
    row("GET", V1 + "image-faces?event={slug}", "open", {SEES_PEOPLE: f"200 {ALL}"}, API),
    row("GET", V1 + "image-faces?image={bob.image_id}", "open", {SEES_PEOPLE: "200 bob"}, API),
    row("GET", V1 + "image-faces?face={bob.grab_id}", "open", {SEES_PEOPLE: "200 bob"}, API),
    row("GET", V1 + "image-faces/{ada.witness}", "open", {SEES_PEOPLE: "200 ada"}, API),
    row("POST", V1 + "image-faces/{ada.witness}/move", "open", {MANAGES: "200 ada changed"}, API, json={"grab_id": "{bob.grab_id}"}),
    row("POST", V1 + "image-faces/{ada.witness}/move", "open", {MANAGE | ORGANISER: "404", SUPERUSER | KEY_OF_ALL: "409"}, API, json={"grab_id": "{eve.grab_id}"}),
    row("POST", V1 + "image-faces/{ada.witness}/remove", "open", {MANAGES: "409"}, API),
    row("GET", V1 + "health/ready", "open", {EVERYBODY: "503"}, asks=SOME),
    row("GET", "/metrics", "open", {MANAGER | SUPERUSER | KEY_OF_ALL: "200", OTHERS: "403"}, API),
]

TABLE = [
    *PUBLIC, *EVENT_PAGES, *GALLERIES, *FILES, *CLASSIC_API, *SELFIES_API, *SHOWN_API_ROWS, *ROWS_API, *ADMIN_TABLE,
]
