// Asks now and then whether there are more photos of this visitor, and offers them; the page never changes by itself.

import { request } from "./api.js";
import { interpolate, ngettext, gettext } from "./language.js";

const INTERVAL = 30e3; // milliseconds
const LONGEST = 600e3;

const panel = document.querySelector("#fresh");
let pause = INTERVAL;
let timer = 0;
let known = 0; // new photos that were told of

const mine = () => Number(document.querySelector("#gallery").dataset.mine);

function offer(count) {
  if (count === known) return;
  known = count;
  const text = interpolate(ngettext("%s new photo of you", "%s new photos of you", count), [count]);
  const link = document.createElement("a");
  link.className = "button primary";
  link.href = location.pathname;
  link.textContent = gettext("Show");
  panel.replaceChildren(text, " ", link);
}

async function ask() {
  timer = 0;
  const { status, data } = await request("GET", panel.dataset.news);
  // Expired or closed: what is here stays to be looked at, and a photo that does not open says the rest.
  if (status === 403 || status === 404 || (data && data.mine === null)) return;
  pause = data ? INTERVAL : Math.min(2 * pause, LONGEST);
  if (data && data.mine > mine()) offer(data.mine - mine());
  wait();
}

function wait() {
  clearTimeout(timer);
  timer = document.hidden ? 0 : setTimeout(ask, pause);
}

document.addEventListener("visibilitychange", wait);
document.addEventListener("gallery:replaced", () => {
  known = 0;
  panel.replaceChildren();
});
wait();
