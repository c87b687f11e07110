// Staff: one question after the other. The next ones are fetched ahead, the answers are sent behind, in their order.

import { isLoggedOut, request } from "./api.js";
import { count } from "./words.js";

const AHEAD = 6; // questions that are loaded, with their pictures
const AGAIN = 5e3; // milliseconds before what got no answer is sent again
const PATIENCE = 20e3;
const LOST = new Set([0, 408, 429, 500, 502, 503, 504]);

const root = document.querySelector("#review");
const part = (id) => root.querySelector(`#${id}`);
const action = root.dataset.action;
const cards = part("cards");
const undoForm = part("undo");

let keys = JSON.parse(document.querySelector("#keys").textContent); // to come; the first one is shown
const history = []; // the answers of this page that can be undone
const outbox = []; // what is still to be sent
let isSending = false;
let isFetching = false;
let timer = 0;

const cardOf = (key) => [...cards.children].find((card) => card.dataset.key === key);

function problem(answer) {
  if (isLoggedOut(answer)) return "You are logged out, or may not decide any more. Log in again in another tab.";
  return answer.data?.detail ?? "The server does not answer.";
}

// What is shown

function show({ focus = true } = {}) {
  const card = keys.length ? cardOf(keys[0]) : null;
  for (const other of cards.children) other.hidden = other !== card;
  part("left").textContent = count(keys.length);
  part("waiting").hidden = !keys.length || Boolean(card);
  part("done").hidden = Boolean(keys.length);
  if (undoForm) undoForm.hidden = !history.length && !undoForm.elements.key.value;
  if (focus) (card ?? part("done")).focus({ preventScroll: true });
  if (focus && cards.getBoundingClientRect().top < 0) cards.scrollIntoView();
  fetchAhead();
}

function say(text) {
  part("said").textContent = text;
}

function complain(key, text) {
  const item = document.createElement("li");
  item.className = "errornote";
  item.append(text, " ");
  const again = document.createElement("button");
  Object.assign(again, { type: "button", className: "button", textContent: "Close", ariaLabel: `Close: ${text}` });
  again.addEventListener("click", () => {
    item.remove();
    show();
  });
  item.append(again);
  part("problems").append(item);
}

// The questions to come

async function fetchAhead() {
  const missing = keys.slice(0, AHEAD).filter((key) => !cardOf(key));
  if (isFetching || !missing.length) return;
  isFetching = true;
  try {
    const answer = await fetch(`${action}&cards=${missing.join(",")}`, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new TypeError(`HTTP ${answer.status}`);
    place(missing, await answer.text());
    part("waiting").textContent = "Loading the next one…";
    isFetching = false;
    show({ focus: document.activeElement === document.body });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the network, or the server
    part("waiting").textContent = "The next one cannot be loaded. Trying again…";
    setTimeout(() => {
      isFetching = false;
      fetchAhead();
    }, AGAIN);
  }
}

// Hidden, so that their pictures are loaded. What is not among them is not a question any more.
function place(asked, html) {
  const found = new DOMParser().parseFromString(html, "text/html").querySelectorAll("article");
  for (const card of found) {
    card.hidden = true;
    cards.append(card);
  }
  keys = keys.filter((key) => !asked.includes(key) || cardOf(key));
}

// Answers

function answerWith(form, value) {
  const key = form.elements.key.value;
  if (key !== keys[0]) return;
  const body = new FormData(form);
  body.append("answer", value);
  if (["split", "remove"].includes(value) && !body.has("faces")) {
    say("Choose the faces that do not belong.");
    return;
  }
  keys.shift();
  const entry = { key, decision: "" };
  history.push(entry);
  outbox.push({ entry, body: () => body });
  show();
  flush();
}

function undo() {
  const entry = history.pop();
  if (!entry) return undoForm.hidden || undoForm.submit();
  keys.unshift(entry.key);
  const place = outbox.findIndex((job) => job.entry === entry);
  if (place > 0 || (place === 0 && !isSending)) {
    outbox.splice(place, 1);
    say("Undone.");
  } else {
    outbox.push({ entry, isUndo: true, body: () => undoOf(entry) });
  }
  show();
  flush();
}

// Only when it is sent is it known which decision that was.
function undoOf({ key, decision }) {
  const body = new FormData();
  body.append("key", key);
  body.append("undo", decision ?? "");
  return body;
}

async function flush() {
  if (isSending) return;
  isSending = true;
  clearTimeout(timer);
  while (outbox.length) {
    const answer = await request("POST", action, { body: outbox[0].body(), patience: PATIENCE });
    if (LOST.has(answer.status) || isLoggedOut(answer)) {
      stall(answer);
      break;
    }
    settle(outbox.shift(), answer);
  }
  if (!outbox.length) part("stalled").hidden = true;
  isSending = false;
}

function stall(answer) {
  const number = outbox.length === 1 ? "One answer is" : `${count(outbox.length)} answers are`;
  part("stalled").querySelector("span").textContent = `${problem(answer)} ${number} not saved yet.`;
  part("stalled").hidden = false;
  timer = setTimeout(flush, AGAIN);
}

function settle({ entry, isUndo }, answer) {
  if (answer.status === 200) {
    entry.decision = answer.data.decision;
    say(answer.data.said);
    return;
  }
  // What was meant is so already; there is nothing to be done about it, or to undo.
  if (answer.data?.code === "one_already") say(answer.data.detail);
  else complain(entry.key, `${isUndo ? "Not undone" : "Not done"}: ${problem(answer)}`);
  if (isUndo) {
    keys = keys.filter((key) => key !== entry.key);
  } else if (history.includes(entry)) {
    history.splice(history.indexOf(entry), 1);
  }
  show();
}

// Keys and buttons

function buttonFor(name) {
  const card = keys.length ? cardOf(keys[0]) : null;
  const buttons = [...(card?.querySelectorAll("button") ?? []), ...(undoForm?.querySelectorAll("button") ?? [])];
  return buttons.find((button) => button.dataset.keys?.split(" ").includes(name));
}

// Space is also how a button or a box that has the focus is pressed.
function isMeantForAnother({ target, key }) {
  const others = key === " " ? "button, a, input, select, textarea" : "input:not([type=checkbox]), select, textarea";
  return target instanceof Element && target.matches(others);
}

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isMeantForAnother(event)) return;
  const button = buttonFor(event.key === " " ? "space" : event.key.toLowerCase());
  if (!button || button.form.hidden) return;
  event.preventDefault();
  button.click();
});

root.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target === undoForm) undo();
  else answerWith(event.target, event.submitter?.value);
});

part("stalled").querySelector("button").addEventListener("click", flush);
window.addEventListener("online", flush);
window.addEventListener("beforeunload", (event) => outbox.length && event.preventDefault());
show({ focus: false });
