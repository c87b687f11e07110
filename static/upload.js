// Staff: the page on which photos go up. What is sent when is the uploader's; here it is shown.

import { Connection } from "./connection.js";
import { dropped, UNREADABLE } from "./files.js";
import { LongList } from "./list.js";
import { setUploading } from "./progress.js";
import { Uploader } from "./uploader.js";
import { bytes, count, files as nFiles, timeLeft } from "./words.js";

const TICK = 1e3; // milliseconds

const form = document.querySelector("#upload");
const drop = form.querySelector(".drop");
const sending = document.querySelector("#sending");
const lanes = [...document.querySelectorAll("#flights li")];
const pauseButton = document.querySelector("#pause");
const status = document.querySelector("#sent");
const refused = new LongList(document.querySelector("#refused"));
const duplicates = new LongList(document.querySelector("#duplicates"));
const connection = new Connection();
const uploader = new Uploader(connection, {
  addresses: { upload: form.dataset.api, known: form.dataset.known },
  maxBytes: form.dataset.maxMb * 1e6,
});
let ticking = 0;

// Said aloud by screen readers, so seldom: when something begins, stops, goes on or ends.
function say(words, isBad = false) {
  status.textContent = words;
  status.classList.toggle("bad", isBad);
}

function outcome({ added, known, refused: not }) {
  return `${count(added)} added, ${count(known)} already here, ${count(not)} refused.`;
}

function soFar() {
  const { done, total, bytes: gone, rate, secondsLeft } = uploader;
  const words = [`${count(done.files)} of ${nFiles(total.files)}`, `${bytes(gone)} of ${bytes(total.bytes)}`];
  const isMoving = uploader.isRunning && connection.state === "open" && rate > 0;
  if (isMoving) words.push(`${bytes(rate)} a second`, timeLeft(secondsLeft));
  return words.join(" · ");
}

function nameOf(items) {
  const [{ file }] = items;
  return items.length > 1 ? `${file.name} and ${count(items.length - 1)} more` : file.name;
}

function showLane(lane, flight) {
  // Its place stays, so that the page does not jump.
  lane.classList.toggle("idle", !flight?.items.length);
  if (!flight?.items.length) return;
  lane.querySelector("span").textContent = nameOf(flight.items);
  lane.querySelector("progress").value = flight.share;
}

function show() {
  const { bytes: gone, done, total } = uploader;
  document.querySelector("#overall").value = total.bytes ? gone / total.bytes : done.files / (total.files || 1);
  uploader.flights.forEach((flight, place) => showLane(lanes[place], flight));
}

function tick() {
  uploader.sample();
  document.querySelector("#so-far").textContent = soFar();
}

const STATES = {
  open: () => say("Uploading."),
  paused: () => say("Paused."),
  lost: () => say(`${connection.reason || "The connection is lost."} The upload goes on by itself as soon as it can.`, true),
  ended: () => say("You are logged out. Log in again in another tab, then Resume.", true),
};

function onConnection() {
  pauseButton.textContent = connection.state === "open" ? "Pause" : "Resume";
  if (uploader.isRunning) STATES[connection.state]();
  tick();
}

function onStart() {
  [refused, duplicates].forEach((list) => list.clear());
  sending.hidden = document.querySelector("#flights").hidden = pauseButton.hidden = false;
  ticking = setInterval(tick, TICK);
  connection.state === "open" ? say(`Uploading ${nFiles(uploader.total.files)}.`) : STATES[connection.state]();
  tick();
  setUploading(true);
}

function onEnd() {
  clearInterval(ticking);
  document.querySelector("#flights").hidden = pauseButton.hidden = true;
  show();
  tick();
  say(outcome(uploader.counts));
  setUploading(false);
}

const { compare } = new Intl.Collator("en", { numeric: true });
const path = (file) => file.webkitRelativePath || file.name;

function upload(chosen) {
  const visible = chosen.filter((file) => !file.name.startsWith("."));
  uploader.add(visible.sort((one, other) => compare(path(one), path(other))));
}

async function onDrop(event) {
  event.preventDefault();
  drop.classList.remove("over");
  const unreadable = [];
  upload(await dropped(event, (name) => unreadable.push(name)));
  unreadable.forEach((name) => refused.add(name, UNREADABLE)); // now, since an upload begins with an empty list
}

uploader.addEventListener("start", onStart);
uploader.addEventListener("end", onEnd);
uploader.addEventListener("change", show);
uploader.addEventListener("refused", ({ detail }) => refused.add(detail.name, detail.reason));
uploader.addEventListener("duplicate", ({ detail }) => duplicates.add(detail.name));
connection.addEventListener("change", onConnection);
pauseButton.addEventListener("click", () => (connection.state === "open" ? connection.pause() : connection.resume()));

form.classList.add("enhanced");
form.addEventListener("change", (event) => {
  const chosen = [...event.target.files];
  event.target.value = "";
  upload(chosen);
});
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", onDrop);
// Beside the box, the browser would leave the page and open the file.
["dragover", "drop"].forEach((type) => window.addEventListener(type, (event) => event.preventDefault()));
window.addEventListener("beforeunload", (event) => {
  if (uploader.isRunning) event.preventDefault(); // asks before an upload is left
});
