// Choosing several photos. Without it, the boxes and the button are simply there.

import { gettext, interpolate, ngettext } from "./language.js";

const form = document.querySelector("#chosen");
const all = form.querySelector("#select-all");
const done = form.querySelector("#done");
const download = form.querySelector("[name=chosen]");
const count = form.querySelector(".count");

const boxes = () => [...document.querySelectorAll(".pick input")];
const values = (list) => new Set(list.map((box) => box.value)).size; // a photo may be in two questions
const isChoosing = () => document.body.classList.contains("choosing-photos");

function tell() {
  const list = boxes();
  const chosen = values(list.filter((box) => box.checked));
  count.textContent = interpolate(ngettext("%s chosen", "%s chosen", chosen), [chosen]);
  download.disabled = !chosen;
  all.textContent = list.length && chosen === values(list) ? gettext("Select none") : gettext("Select all");
  if (chosen && !isChoosing()) choose(true);
}

function choose(on) {
  document.body.classList.toggle("choosing-photos", on);
  const select = document.querySelector("#select");
  if (select) select.ariaPressed = String(on);
  // In this mode the whole photo is its box.
  for (const link of document.querySelectorAll(".photos a")) link.tabIndex = on ? -1 : 0;
}

function leave() {
  for (const box of boxes()) box.checked = false;
  choose(false);
  tell();
  document.querySelector("#select")?.focus({ preventScroll: true });
}

// Also after the page has taken another's place.
function begin() {
  const select = document.querySelector("#select");
  if (select) {
    select.hidden = false;
    select.addEventListener("click", () => (isChoosing() ? leave() : choose(true)));
  }
  const list = boxes();
  form.hidden = !list.length;
  choose(isChoosing() && list.length > 0);
  tell();
}

all.hidden = done.hidden = false;
all.addEventListener("click", () => {
  const list = boxes();
  const on = list.some((box) => !box.checked);
  for (const box of list) box.checked = on;
  tell();
});
done.addEventListener("click", leave);
document.addEventListener("change", ({ target }) => {
  if (!target.closest(".pick")) return;
  for (const box of boxes()) if (box.value === target.value) box.checked = target.checked;
  tell();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isChoosing() && !document.querySelector("dialog[open]")) leave();
});
document.addEventListener("gallery:replaced", begin);
for (const box of boxes()) box.checked = false;
begin();
