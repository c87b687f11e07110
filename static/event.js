// The event's page: consent, then selfies, which are sent as soon as they are there; then the gallery, or what to do next.

import { ask } from "./asking.js";
import { Camera } from "./camera.js";
import { offerFaces } from "./faces.js";
import { gettext, interpolate } from "./language.js";
import { Selfies } from "./selfies.js";
import { Waiting } from "./waiting.js";

const SLOW = 4e3; // milliseconds

const form = document.querySelector("#selfie");
const { consent } = form.elements;
const first = form.querySelector("#first");
const taken = form.querySelector("#taken");
const chosen = form.querySelector("#chosen");
const status = form.querySelector(".status");
const problem = document.querySelector("#problem");
const next = document.querySelector("#next");
const instead = document.querySelector("#instead");

const UNSURE = {
  code: "unsure",
  title: gettext("We are not sure"),
  advice: gettext("Some photos may show you. Another selfie makes the answer better, with your face straight to the camera."),
};
const CONSENT_FIRST = gettext("Tick this box first, if you agree. Then go on.");
const WAITABLE = new Set(["no_match", "unsure"]);
const SENDING = gettext("The connection is slow. Sent so far: %s percent.");
const LOOKING = gettext("Still looking. This takes longer than usual…");
const REPEATABLE = new Set(["away", "broken_answer", "engine_unavailable"]);

const selfies = new Selfies(form.querySelector(".kept"));
const camera = new Camera(document.querySelector("#camera"));
const waiting = new Waiting(document.querySelector("#waiting"), (signal) => ask(form, selfies, signal));

let flight = null; // the request that is on its way
let sent = null; // how much of it has gone, in percent; null where the browser does not tell
let maybe = 0; // how many photos the last answer only guessed

const isBusy = () => form.ariaBusy === "true";

function say(text, bad = false) {
  if (status.textContent !== text) status.textContent = text; // or screen readers say it again
  status.classList.toggle("bad", bad);
}

function setBusy(busy) {
  form.ariaBusy = String(busy);
  say(busy ? gettext("Looking for you…") : "");
}

// Leads to the box where it is not ticked yet.
function agrees() {
  if (consent.checked) return true;
  first.textContent = CONSENT_FIRST;
  consent.ariaInvalid = "true";
  consent.focus();
  return false;
}

function show(answer, advice = answer) {
  next.hidden = false;
  next.querySelector(".faces").hidden = true;
  next.querySelector("#guesses").hidden = !answer.gallery;
  next.querySelector("#guesses").href = answer.gallery ?? "";
  next.querySelector("#again").hidden = !REPEATABLE.has(advice.code);
  next.querySelector("#tell").hidden = !WAITABLE.has(advice.code);
  problem.hidden = false;
  problem.querySelector("h2").textContent = advice.title;
  problem.querySelector("p").textContent = advice.advice;
  problem.focus();
}

function explain(answer) {
  show(answer);
  if (answer.code === "several_faces") whichFace(answer);
  else if (Number.isInteger(answer.selfie)) selfies.reject(answer.selfie);
}

function whichFace({ selfie, faces }) {
  offerFaces(next.querySelector(".faces"), selfies.urlOf(selfie), faces, (x, y) => {
    selfies.mean(selfie, x, y);
    find();
  });
}

// Without an answer, or where the words to agree to have changed, the page is out of date.
function act(answer) {
  if (!answer || answer.code === "consent_required") return location.reload();
  if (answer.sure) return location.assign(answer.gallery);
  setBusy(false);
  maybe = answer.maybe ?? 0;
  if (answer.gallery) show(answer, UNSURE);
  else explain(answer);
}

function sayWhatTakesLong() {
  say(sent !== null && sent < 100 ? interpolate(SENDING, [sent]) : LOOKING);
}

// In steps of ten, so that screen readers can follow.
function onProgress(share) {
  sent = Math.floor(10 * share) * 10;
}

async function search() {
  setBusy(true);
  flight = new AbortController();
  const { signal } = flight;
  sent = null;
  const slow = setInterval(sayWhatTakesLong, SLOW);
  const answer = await ask(form, selfies, signal, onProgress);
  clearInterval(slow);
  if (!signal.aborted) act(answer);
}

function clearAnswer() {
  waiting.stop();
  problem.hidden = next.hidden = true;
}

async function find() {
  if (!selfies.count || isBusy() || !agrees()) return;
  clearAnswer();
  showChoices();
  await search();
}

async function add(files) {
  if (!files.length || isBusy() || !agrees()) return;
  clearAnswer();
  setBusy(true);
  await selfies.add(files);
  showChoices();
  await search();
}

// `changed`: what is shown was not found with these selfies.
function showChoices(changed = false) {
  form.querySelector(".one").hidden = selfies.count > 0;
  form.querySelector(".more").hidden = selfies.count === 0;
  form.classList.toggle("changed", changed);
}

function onRemove() {
  clearAnswer();
  showChoices(selfies.count > 0);
  if (!selfies.count) taken.focus();
}

async function openCamera() {
  if (await camera.open(() => !isBusy())) return;
  if (!isBusy()) say(gettext("The camera cannot be used here. Choose a photo of yourself."), true);
  chosen.focus();
}

function onStopped() {
  say(gettext("The camera has stopped. Open it again, or choose a photo of yourself."), true);
  taken.focus();
}

function onTake(event) {
  if (!agrees() || isBusy()) return event.preventDefault();
  if (!camera.mayWork) return;
  event.preventDefault();
  if (!camera.asking) openCamera();
}

function onConsent() {
  first.textContent = "";
  consent.ariaInvalid = null;
  if (!consent.checked) waiting.stop();
}

async function onFiles(event) {
  const files = [...event.target.files];
  event.target.value = "";
  if (event.target === instead) camera.close();
  await add(files);
}

// Nothing is left of the visitor in a page that the browser keeps for going back.
function reset() {
  flight?.abort();
  clearAnswer();
  selfies.clear();
  showChoices();
  form.reset();
  setBusy(false);
}

function onTell() {
  problem.hidden = next.hidden = true;
  waiting.start(maybe);
}

function onStop() {
  problem.hidden = next.hidden = false;
  problem.focus();
}

form.classList.add("enhanced");
form.noValidate = true;
for (const input of [taken, chosen, instead]) input.addEventListener("change", onFiles);
taken.addEventListener("click", onTake);
chosen.addEventListener("click", (event) => (!agrees() || isBusy()) && event.preventDefault());
consent.addEventListener("change", onConsent);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
selfies.addEventListener("remove", onRemove);
camera.addEventListener("stopped", onStopped);
camera.addEventListener("shot", ({ detail }) => add([detail]));
next.querySelector("#again").addEventListener("click", find);
next.querySelector("#tell").addEventListener("click", onTell);
waiting.addEventListener("stop", onStop);
waiting.addEventListener("end", ({ detail }) => act(detail));
window.addEventListener("pagehide", reset);
if (!problem.hidden) problem.focus();
