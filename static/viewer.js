// The full view: one photo at a time, by arrows, swipe or buttons. Without it, a thumbnail links to its preview.

import { gettext, interpolate } from "./language.js";

const SWIPE = 50; // pixels
const OPENED = "photo"; // the state of the history's entry for the full view, which Back closes

const viewer = document.querySelector("#viewer");
const thumbnail = new Image(); // stands in until the photo is there
const image = new Image();
const counter = viewer.querySelector(".counter");
const download = viewer.querySelector(".download");
const problem = viewer.querySelector(".problem");
const choose = viewer.querySelector(".choose");
const share = viewer.querySelector(".share");
const steps = { ArrowLeft: -1, ArrowRight: 1 };

let links = []; // as they were when the view was opened: answers change the page
let current = 0;
let touch = null;

function tell(sentence) {
  problem.textContent = sentence;
  image.hidden = download.hidden = Boolean(sentence);
}

// The box of the photo in the page, where photos may be chosen.
const box = () => links[current].closest("li").querySelector("input");

function mark() {
  choose.hidden = !box();
  choose.ariaPressed = String(Boolean(box()?.checked));
}

function toggle() {
  box().checked = !box().checked;
  box().dispatchEvent(new Event("change", { bubbles: true }));
  mark();
}

// What is in the view, since it is here already: a file that had to be fetched first would come too late for the tap.
async function shareFile() {
  const answer = await fetch(image.src).catch(() => null);
  if (!answer?.ok) return tell(gettext("This photo did not load. Check your connection."));
  const content = await answer.blob();
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))?.[1] ?? "photo.jpg";
  try {
    await navigator.share({ files: [new File([content], name, { type: content.type })] });
  } catch (error) {
    if (error.name === "NotAllowedError") share.focus(); // the tap was too long ago; the next one finds the file here
    else if (error.name !== "AbortError") throw error;
  }
}

function show(index) {
  current = (index + links.length) % links.length;
  const link = links[current];
  const small = link.querySelector("img");
  viewer.ariaBusy = "true";
  tell("");
  thumbnail.src = small.src;
  image.src = link.href;
  image.alt = small.alt;
  const place = interpolate(gettext("%(number)s of %(count)s"), { number: current + 1, count: links.length });
  counter.textContent = link.closest(".maybe") ? `${place} · ${gettext("maybe you")}` : place;
  download.href = link.dataset.original;
  mark();
}

// The neighbours are fetched once the photo itself is there, so that they never delay it.
function loaded() {
  viewer.ariaBusy = "false";
  for (const step of [1, -1]) {
    new Image().src = links[(current + step + links.length) % links.length].href;
  }
}

// Where photos are not open any more, the page says so itself.
async function failed() {
  const { src } = image;
  const answer = await fetch(src, { method: "HEAD" }).catch(() => null);
  if (answer?.status === 404) location.reload();
  else if (image.src === src) {
    tell(gettext("This photo did not load. Check your connection."));
    viewer.ariaBusy = "false";
  }
}

function open(event) {
  const link = event.target.closest?.(".photos a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab was asked for
  event.preventDefault();
  links = [...document.querySelectorAll(".photos a")];
  viewer.classList.toggle("alone", links.length === 1);
  show(links.indexOf(link));
  viewer.showModal();
  history.scrollRestoration = "manual"; // closing leaves the page at the last photo, not at the first
  history.pushState(OPENED, "");
}

function closed() {
  if (history.state === OPENED) history.back();
  links[current].focus();
}

function swiped(event) {
  if (!touch) return;
  const [end] = event.changedTouches;
  const [x, y] = [end.clientX - touch.clientX, end.clientY - touch.clientY];
  const zoomed = window.visualViewport?.scale > 1.05;
  if (!zoomed && Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) show(current - Math.sign(x));
}

thumbnail.alt = "";
thumbnail.className = "thumbnail";
viewer.prepend(thumbnail, image);
share.hidden = !navigator.canShare?.({ files: [new File([""], "photo.jpg", { type: "image/jpeg" })] });
document.addEventListener("click", open);
image.addEventListener("load", loaded);
image.addEventListener("error", failed);
viewer.addEventListener("keydown", (event) => {
  if (event.key in steps) show(current + steps[event.key]);
});
viewer.addEventListener("touchstart", (event) => {
  touch = event.touches.length === 1 ? event.touches[0] : null; // two fingers zoom
}, { passive: true });
viewer.addEventListener("touchend", swiped);
viewer.addEventListener("close", closed);
choose.addEventListener("click", toggle);
share.addEventListener("click", shareFile);
viewer.querySelector(".close").addEventListener("click", () => viewer.close());
viewer.querySelector(".previous").addEventListener("click", () => show(current - 1));
viewer.querySelector(".next").addEventListener("click", () => show(current + 1));
history.replaceState(null, ""); // a page loaded anew shows no photo
window.addEventListener("popstate", () => viewer.close());
window.addEventListener("pagehide", () => { history.scrollRestoration = "auto"; });
// A gallery that the browser kept may have been closed since: ask again.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
