// Staff: where an event stands, without reloading; and what failed, once more.

import { isLoggedOut, request } from "./api.js";
import { count, decimal, photos, timeLeft } from "./words.js";

const AFTERWARDS = 15e3; // milliseconds after the last photo, in which its faces get their people
const EVERY = { busy: 2e3, idle: 10e3, longest: 60e3 }; // milliseconds
const PATIENCE = 20e3;

const panel = document.querySelector("#progress");
const part = (id) => panel.querySelector(`#${id}`);
let isUploading = false;
let isAsking = false;
let isOutdated = false; // what is being asked just now
let failedPolls = 0;
let timer = 0;
let busyUntil = 0;
let shownFailures = "";

// Figures

function pace({ images, pending, photos_per_second: rate, seconds_left: seconds }) {
  if (!images) return "No photos yet.";
  const words = [`${count(images - pending)} of ${count(images)} photos looked at`];
  if (pending && rate) words.push(`${decimal(rate)} a second`);
  if (seconds) words.push(timeLeft(seconds));
  return words.join(" · ");
}

function show(progress) {
  const { images, pending, workers } = progress;
  panel.querySelectorAll("[data-figure]").forEach((figure) => {
    figure.textContent = count(progress[figure.dataset.figure]);
  });
  part("processed").hidden = !images;
  Object.assign(part("processed"), { max: images || 1, value: images - pending });
  part("pace").textContent = pace(progress);
  part("no-worker").hidden = !pending || workers > 0;
  part("stale").hidden = true;
  showFailures(progress);
}

function problem(answer) {
  if (isLoggedOut(answer)) return "You are logged out. Log in again in another tab.";
  return answer.data?.detail ?? "The server does not answer.";
}

// Failures

function row(template, title, reason, value) {
  const item = part(template).content.firstElementChild.cloneNode(true);
  item.querySelector("strong").textContent = title;
  item.querySelector(".reason").textContent = reason;
  item.querySelector("button").value = value;
  return item;
}

function reasonRow({ code, reason, count: number }) {
  const item = row("failure", count(number), reason, code);
  item.querySelector("button").ariaLabel = `Try again all of: ${reason}`;
  return item;
}

function imageRow({ image_id: id, file_name: name, reason, thumbnail }) {
  const item = row("failed-image", name, reason, id);
  item.querySelector("button").ariaLabel = `Try again: ${name}`;
  if (thumbnail) item.querySelector("img").src = thumbnail;
  else item.querySelector("img").remove();
  return item;
}

// Only when something changed, so that a button does not go away under the finger.
function showFailures({ failed, failures, failed_images: images }) {
  const now = JSON.stringify([failed, failures, images]);
  if (now === shownFailures) return;
  shownFailures = now;
  const form = part("failures");
  const hadFocus = form.contains(document.activeElement);
  form.querySelector(".reasons").replaceChildren(...failures.map(reasonRow));
  form.querySelector(".failed").replaceChildren(...images.map(imageRow));
  part("failed-unshown").textContent = failed > images.length ? `and ${count(failed - images.length)} more` : "";
  form.hidden = !failed;
  if (hadFocus) part("said").focus();
}

async function retry(event) {
  event.preventDefault();
  const body = new FormData();
  body.append(event.submitter.name, event.submitter.value);
  const answer = await request("POST", panel.dataset.retry, { body });
  const isDone = answer.status === 200 && answer.data !== null;
  part("said").classList.toggle("bad", !isDone);
  part("said").textContent = isDone ? `${photos(answer.data.retried)} will be looked at again.` : problem(answer);
  poll();
}

// Polling: one question at a time, none while nobody looks, and fewer when no answer comes.

function schedule(milliseconds) {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(poll, milliseconds);
}

async function poll() {
  isOutdated = isAsking;
  if (isAsking) return;
  isAsking = true;
  const answer = await request("GET", panel.dataset.progress, { patience: PATIENCE });
  isAsking = false;
  if (answer.status === 200 && answer.data) {
    failedPolls = 0;
    show(answer.data);
    if (answer.data.pending || isUploading) busyUntil = Date.now() + AFTERWARDS;
    schedule(isOutdated ? 0 : Date.now() < busyUntil ? EVERY.busy : EVERY.idle);
  } else {
    failedPolls += 1;
    part("stale").textContent = `${problem(answer)} These figures are old.`;
    part("stale").hidden = false;
    schedule(Math.min(EVERY.busy * 2 ** failedPolls, EVERY.longest));
  }
}

// An upload brings news; its end, too.
export function setUploading(is) {
  isUploading = is;
  if (!failedPolls) schedule(0);
}

part("failures").addEventListener("submit", retry);
document.addEventListener("visibilitychange", () => schedule(0));
schedule(0);
