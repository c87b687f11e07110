"""Who may do what in admin; see `endpoints.py`. Whoever may not even look is sent to log in, or gets 403."""
# ruff: noqa: E501  # a line for each row

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grabpic_site.tests.rows import (
    ADMIN,
    ALL,
    ALLOWED,
    ANY_STAFF,
    EVERYBODY,
    HELPER,
    MANAGER,
    NOBODY,
    ORGANISER,
    STAFF_ELSEWHERE,
    SUPERUSER,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grabpic_site.tests.rows import Actors, Row

# fmt: off

A = "/admin/"
ADMIN_SITE = [
    row("GET", A, "code", {ANY_STAFF: "200"}, ADMIN),
    row("GET", A + "login/", "code", {ANY_STAFF: "302"}, "200"),
    row("POST", A + "login/", "code", {EVERYBODY: "200"}, form={"username": "superuser", "password": "guessed"}),
    row("POST", A + "logout/", "code", {ANY_STAFF: "200"}, "302"),
    row("GET", A + "password_change/", "code", {ANY_STAFF: "200"}, ADMIN),
    row("POST", A + "password_change/", "code", {ANY_STAFF: "200"}, ADMIN),
    row("GET", A + "password_change/done/", "code", {ANY_STAFF: "200"}, ADMIN),
    row("GET", A + "autocomplete/", "code", {}, ADMIN),
    row("GET", A + "jsi18n/", "code", {ANY_STAFF: "200"}, ADMIN),
    row("GET", A + "r/1/1/", "code", {ANY_STAFF: "404"}, ADMIN),
    row("GET", A + "nothing", "code", {ANY_STAFF: "404"}, ADMIN),
    row("GET", A + "faces/", "code", {ALLOWED | STAFF_ELSEWHERE: "200", HELPER | MANAGER: "404"}, ADMIN),
]


def superusers(address: str, key: str, *, is_read_only: bool = False) -> Iterator[Row]:
    """Yield the rows of a model that only superusers see."""
    may_write = NOBODY if is_read_only else SUPERUSER
    one, chosen = f"{A}{address}/{key}/", {"action": "delete_selected", "_selected_action": key, "post": "yes"}
    yield row("GET", f"{A}{address}/", "code", {SUPERUSER: "200"}, ADMIN)
    yield row("POST", f"{A}{address}/", "code", {may_write: "302 changed", SUPERUSER - may_write: "302"}, ADMIN, form=chosen)
    yield row("GET", f"{A}{address}/add/", "code", {may_write: "200"}, ADMIN)
    yield row("POST", f"{A}{address}/add/", "code", {may_write: "200"}, ADMIN)
    yield row("GET", one, "code", {ANY_STAFF: "302"}, ADMIN)
    yield row("GET", one + "history/", "code", {SUPERUSER: "200"}, ADMIN)
    yield row("GET", one + "change/", "code", {SUPERUSER: "200"}, ADMIN)
    yield row("POST", one + "change/", "code", {may_write: "200"}, ADMIN)
    yield row("GET", one + "delete/", "code", {may_write: "200"}, ADMIN)
    yield row("POST", one + "delete/", "code", {may_write: "302 changed"}, ADMIN, form={"post": "yes"})


def of_events(address: str, key: str, shows: str, *, adds: Actors = NOBODY, changes: str = "", deletes: Actors = NOBODY, deletion: str | None = None) -> Iterator[Row]:
    """Yield the rows of a model whose rows belong to events; `changes` is what a POST of a form without fields does."""
    one = f"{A}{address}/{key}/"
    yield row("GET", f"{A}{address}/add/", "code", {adds: "200"}, ADMIN)
    yield row("POST", f"{A}{address}/add/", "code", {adds: "200"}, ADMIN)
    yield row("GET", one, "code", {ANY_STAFF: "302"}, ADMIN)
    yield row("GET", one + "change/", "code", {ALLOWED: f"200 {shows}", STAFF_ELSEWHERE: "302"}, ADMIN)
    changed = {ALLOWED: changes, STAFF_ELSEWHERE: "302"} if changes else {}
    yield row("POST", one + "change/", "code", changed, ADMIN)
    elsewhere = STAFF_ELSEWHERE if deletes == ALLOWED else NOBODY
    yield row("GET", one + "delete/", "code", {deletes: f"200 {shows if deletion is None else deletion}".strip(), elsewhere: "302"}, ADMIN)
    yield row("POST", one + "delete/", "code", {deletes: "302 changed", elsewhere: "302"}, ADMIN, form={"post": "yes"})


DECISIONS, EVENTS, FACES, IMAGES = A + "faces/decision/", A + "events/event/", A + "faces/face/", A + "events/image/"
LISTS = {ORGANISER: f"200 {ALL} others draft", STAFF_ELSEWHERE: "200 eve", SUPERUSER: f"200 {ALL} others eve draft"}


def chosen(action: str, *keys: str) -> dict[str, Any]:
    return {"action": action, "_selected_action": list(keys)}


SAME = {"key": "{ada.witness}-{may.witness}", "answer": "same"}
REVIEWED = "merges/?event={slug}&cards={ada.witness}-{bob.witness}"

ADMIN_MODELS = [
    *superusers("auth/group", "{group.pk}"),
    *superusers("auth/user", "{user.pk}"),
    row("GET", A + "auth/user/{user.pk}/password/", "code", {SUPERUSER: "200"}, ADMIN),
    row("POST", A + "auth/user/{user.pk}/password/", "code", {SUPERUSER: "200"}, ADMIN),
    *superusers("procrastinate/procrastinatejob", "{job.pk}", is_read_only=True),
]

ADMIN_EVENTS = [
    *of_events("events/event", "{event.pk}", "code", adds=ALLOWED | STAFF_ELSEWHERE, changes="200", deletes=SUPERUSER, deletion=""),
    row("GET", EVENTS, "code", {ORGANISER | SUPERUSER: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", EVENTS, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("regroup", "{event.pk}")),
    row("POST", EVENTS, "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("look_again", "{event.pk}")),
    row("POST", EVENTS, "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("find_faces", "{event.pk}")),
    row("POST", EVENTS, "code", {SUPERUSER: "302 changed", ORGANISER | STAFF_ELSEWHERE: "302"}, ADMIN, form={**chosen("delete_selected", "{event.pk}"), "post": "yes"}),
    row("GET", EVENTS + "{event.pk}/history/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("GET", EVENTS + "{event.pk}/distances/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "404"}, ADMIN),
    *of_events("events/image", "{ada.image}", "ada", changes="302 changed", deletes=ALLOWED),
    row("GET", IMAGES, "code", LISTS, ADMIN),
    row("POST", IMAGES, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("retry", "{broken.pk}")),
    row("POST", IMAGES, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("use_as_cover", "{ada.image}")),
    row("POST", IMAGES, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form={**chosen("delete_selected", "{ada.image}"), "post": "yes"}),
    row("GET", IMAGES + "{ada.image}/history/", "code", {ALLOWED: "200 ada", STAFF_ELSEWHERE: "302"}, ADMIN),
]

ADMIN_FACES = [
    *of_events("faces/face", "{ada.pk}", ALL, changes="302"),
    row("GET", FACES, "code", {who: shown.replace(" hid", "") for who, shown in LISTS.items()}, ADMIN),
    row("GET", FACES + "?hidden=yes&event__id__exact={event.pk}", "code", {ALLOWED: "200 hid draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", FACES, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("hide", "{ada.pk}")),
    row("POST", FACES + "?hidden=yes", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("show", "{hid.pk}")),
    row("POST", FACES, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("not_same", "{ada.pk}", "{bob.pk}")),
    row("POST", FACES, "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("merge", "{ada.pk}", "{bob.pk}")),
    row("POST", FACES + "{ada.pk}/change/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form={"action": "hide"}),
    row("POST", FACES + "{ada.pk}/change/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form={"action": "move", "face": "{ada.witness}", "to": "{bob.pk}"}),
    row("POST", FACES + "{ada.pk}/change/", "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form={"action": "move", "face": "{ada.witness}", "to": "{eve.pk}"}),
    row("GET", FACES + "{ada.pk}/history/", "code", {ALLOWED: "200 ada", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("GET", FACES + "crop/{ada.witness}.jpg", "code", {ALLOWED: "200 ada", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("GET", FACES + "{ada.pk}/candidates/", "code", {ALLOWED: "200 may bob hid", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("GET", FACES + "merge/?person={ada.pk}&person={bob.pk}", "code", {ALLOWED: "200 ada bob", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("POST", FACES + "merge/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form={"person": ["{ada.pk}", "{bob.pk}"]}),
    row("POST", FACES + "merge/", "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form={"person": ["{ada.pk}", "{eve.pk}"]}),
    row("POST", FACES + "undo/{decision.pk}/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("POST", FACES + "{ada.pk}/export/", "code", {ALLOWED: "200 ada", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("GET", FACES + "{ada.pk}/erase/", "code", {ALLOWED: "200 ada", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("POST", FACES + "{ada.pk}/erase/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "404"}, ADMIN),
    *of_events("faces/auditentry", "{entry.pk}", "hid"),
    row("GET", A + "faces/auditentry/", "code", LISTS, ADMIN),
    row("GET", A + "faces/auditentry/{entry.pk}/history/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "302"}, ADMIN),
    *of_events("faces/decision", "{decision.pk}", "hid"),
    row("GET", DECISIONS, "code", LISTS, ADMIN),
    row("POST", DECISIONS, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "404"}, ADMIN, form={"undo": "{decision.pk}"}),
    row("POST", DECISIONS, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("undo", "{decision.pk}")),
    row("GET", DECISIONS + "{decision.pk}/history/", "code", {ALLOWED: "200 hid", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("GET", DECISIONS + "merges/", "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("GET", DECISIONS + REVIEWED, "code", {ALLOWED: "200 ada bob", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("POST", DECISIONS + "merges/?event={slug}", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "404"}, ADMIN, form=SAME),
    row("GET", DECISIONS + "visitors/?event={slug}", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("POST", DECISIONS + "visitors/?event={slug}", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "404"}, ADMIN, form=SAME),
    row("GET", DECISIONS + "suspicious/?event={slug}", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "404"}, ADMIN),
    row("POST", DECISIONS + "suspicious/?event={slug}", "code", {ALLOWED: "302", STAFF_ELSEWHERE: "404"}, ADMIN, form={"key": "{ada.witness}", "answer": "split", "faces": "{ada.witness}"}),
]

KEYS, KEY = A + "events/apikey/", A + "events/apikey/{key.pk}/"
READER = {"name": "reader", "scopes": "read"}
HERE, THERE = READER | {"events": "{event.pk}"}, READER | {"events": "{elsewhere.pk}"}

ADMIN_KEYS = [
    row("GET", KEYS, "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", KEYS, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("revoke", "{key.pk}")),
    row("POST", KEYS, "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form={**chosen("delete_selected", "{key.pk}"), "post": "yes"}),
    row("GET", KEYS + "add/", "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", KEYS + "add/", "code", {ALLOWED: "200 changed", STAFF_ELSEWHERE: "200"}, ADMIN, form=HERE),
    row("POST", KEYS + "add/", "code", {STAFF_ELSEWHERE | SUPERUSER: "200 changed", ORGANISER: "200 draft"}, ADMIN, form=THERE),
    row("POST", KEYS + "add/", "code", {SUPERUSER: "200 changed", ORGANISER: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN, form=READER | {"every_event": "on"}),
    row("GET", KEY, "code", {ANY_STAFF: "302"}, ADMIN),
    row("GET", KEY + "history/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("GET", KEY + "change/", "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("POST", KEY + "change/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=HERE),
    row("GET", KEY + "delete/", "code", {}, ADMIN),
    row("POST", KEY + "delete/", "code", {}, ADMIN, form={"post": "yes"}),
]

HOOKS, HOOK = A + "events/webhook/", A + "events/webhook/{webhook.pk}/"
HOOKED = {"name": "hook", "url": "https://client.example/", "kinds": "event.indexed"}
HOOKED_HERE, HOOKED_THERE = HOOKED | {"events": "{event.pk}"}, HOOKED | {"events": "{elsewhere.pk}"}
SENT, MESSAGE = A + "events/delivery/", A + "events/delivery/{delivery.pk}/"

ADMIN_WEBHOOKS = [
    row("GET", HOOKS, "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", HOOKS, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form={**chosen("delete_selected", "{webhook.pk}"), "post": "yes"}),
    row("GET", HOOKS + "add/", "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", HOOKS + "add/", "code", {ALLOWED: "200 changed", STAFF_ELSEWHERE: "200"}, ADMIN, form=HOOKED_HERE),
    row("POST", HOOKS + "add/", "code", {STAFF_ELSEWHERE | SUPERUSER: "200 changed", ORGANISER: "200 draft"}, ADMIN, form=HOOKED_THERE),
    row("POST", HOOKS + "add/", "code", {SUPERUSER: "200 changed", ORGANISER: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN, form=HOOKED | {"every_event": "on"}),
    row("GET", HOOK, "code", {ANY_STAFF: "302"}, ADMIN),
    row("GET", HOOK + "history/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("GET", HOOK + "change/", "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("POST", HOOK + "change/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=HOOKED_HERE),
    row("POST", HOOK + "change/", "code", {ALLOWED: "200 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=HOOKED_HERE | {"_secret": "yes"}),
    row("GET", HOOK + "delete/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "302"}, ADMIN),
    row("POST", HOOK + "delete/", "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form={"post": "yes"}),
    row("GET", SENT, "code", {ALLOWED: "200 draft", STAFF_ELSEWHERE: "200"}, ADMIN),
    row("POST", SENT, "code", {ALLOWED: "302 changed", STAFF_ELSEWHERE: "302"}, ADMIN, form=chosen("send_again", "{delivery.pk}")),
    row("POST", SENT, "code", {ALLOWED | STAFF_ELSEWHERE: "302"}, ADMIN, form={**chosen("delete_selected", "{delivery.pk}"), "post": "yes"}),
    *of_events("events/delivery", "{delivery.pk}", ""),
    row("GET", MESSAGE + "history/", "code", {ALLOWED: "200", STAFF_ELSEWHERE: "302"}, ADMIN),
]

ADMIN_TABLE = [*ADMIN_SITE, *ADMIN_MODELS, *ADMIN_EVENTS, *ADMIN_FACES, *ADMIN_KEYS, *ADMIN_WEBHOOKS]
