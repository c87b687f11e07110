// “That's me” and “Not me” without leaving the place: the page that follows an answer takes this one's place.

import { gettext } from "./language.js";

const said = document.querySelector("#said");

const places = ["#maybe", "#leaving"]; // what stays where it is in the window: the first that is on both pages

function chosen() {
  return new Set([...document.querySelectorAll(".pick input:checked")].map((box) => box.value));
}

// The selection is kept, and the eye stays where it was.
function replace(page) {
  const old = document.querySelector("#gallery");
  const fresh = document.adoptNode(page.querySelector("#gallery"));
  const place = places.find((each) => document.querySelector(each) && (fresh.querySelector(each) || !old.querySelector(each)));
  const before = document.querySelector(place).getBoundingClientRect().top;
  const kept = chosen();
  old.replaceWith(fresh);
  for (const box of document.querySelectorAll(".pick input")) box.checked = kept.has(box.value);
  window.scrollBy(0, document.querySelector(place).getBoundingClientRect().top - before);
  document.dispatchEvent(new Event("gallery:replaced"));
}

function focusOnNext(index) {
  const questions = document.querySelectorAll(".question h3");
  const next = questions[Math.min(index, questions.length - 1)];
  (next ?? document.querySelector("#maybe-you") ?? document.querySelector("h1")).focus({ preventScroll: true });
}

async function answer(form, button) {
  const index = [...document.querySelectorAll(".question")].indexOf(form.closest(".question"));
  const body = new FormData(form);
  body.set(button.name, button.value);
  const response = await fetch(form.action, { method: "POST", body }).catch(() => null);
  const text = await response?.text().catch(() => null); // the connection may go in the middle of it
  if (text == null) {
    said.textContent = gettext("Your answer did not get through. Try again once you are connected.");
    return;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  // Expired, closed, or asked about somebody who is gone: the page says so itself.
  if (!response.ok || !page.querySelector("#gallery")) return location.reload();
  replace(page);
  said.textContent = page.querySelector(".messages")?.textContent.trim() ?? "";
  focusOnNext(Math.max(index, 0));
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".answer")) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  await answer(form, event.submitter);
  form.ariaBusy = "false";
});
