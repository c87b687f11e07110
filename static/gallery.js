// The full view: one photo at a time, by arrows, swipe or buttons. Without it, a thumbnail links to its preview.

const SWIPE = 50; // pixels
const OPENED = "photo"; // the state of the history's entry for the full view, which Back closes

const links = [...document.querySelectorAll(".photos a")];
const viewer = document.querySelector("#viewer");
const thumbnail = new Image(); // stands in until the photo is there
const image = new Image();
const counter = viewer.querySelector(".counter");
const download = viewer.querySelector(".download");
const problem = viewer.querySelector(".problem");
const steps = { ArrowLeft: -1, ArrowRight: 1 };

let current = 0;
let touch = null;

function tell(sentence) {
  problem.textContent = sentence;
  image.hidden = download.hidden = Boolean(sentence);
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
  counter.textContent = `${current + 1} of ${links.length}${link.closest(".maybe") ? " · maybe you" : ""}`;
  download.href = link.dataset.original;
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
    tell("This photo did not load. Check your connection.");
    viewer.ariaBusy = "false";
  }
}

function open(event, index) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab was asked for
  event.preventDefault();
  show(index);
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
viewer.classList.toggle("alone", links.length === 1);
links.forEach((link, index) => link.addEventListener("click", (event) => open(event, index)));
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
viewer.querySelector(".close").addEventListener("click", () => viewer.close());
viewer.querySelector(".previous").addEventListener("click", () => show(current - 1));
viewer.querySelector(".next").addEventListener("click", () => show(current + 1));
history.replaceState(null, ""); // a page loaded anew shows no photo
window.addEventListener("popstate", () => viewer.close());
window.addEventListener("pagehide", () => { history.scrollRestoration = "auto"; });
// A gallery that the browser kept may have been closed since: ask again.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
