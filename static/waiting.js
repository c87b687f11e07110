// Keeps the page alive until more photos are in, and then looks again by itself.

import { request } from "./api.js";
import { gettext, interpolate, language, ngettext } from "./language.js";

const PATIENCE = 6; // intervals after which photos that have come count, even while more are coming
const STILL = new Set(["no_match", "engine_unavailable", "away", "broken_answer"]);
const TITLE = document.title;
const PULSE = [200, 100, 200]; // milliseconds

const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

const count = (text, number) => interpolate(text, [number.toLocaleString(language)]);

// Only from a tap. A phone's browser may refuse a page's own notifications, and then says so at once.
async function mayNotify() {
  if (!("Notification" in globalThis) || navigator.userAgentData?.mobile) return;
  if (Notification.permission === "default") await Notification.requestPermission();
}

function notify(text) {
  if (!isCalm.matches) navigator.vibrate?.(PULSE);
  if (globalThis.Notification?.permission !== "granted") return;
  try {
    new Notification(text);
  } catch {
    // Not from a page, on this device: the title and the words have to do.
  }
}

// `look` searches with the kept selfies and returns the answer. Dispatches "stop" when the visitor has stopped it, "end"
// when an answer is a reason to; it is the event's detail.
export class Waiting extends EventTarget {
  #panel;
  #look;
  #timer = 0;
  #lock = null;
  #flight = new AbortController(); // of this waiting; aborted once it has ended
  #looked; // { photos, maybe, polls }: how it was at the last look

  constructor(panel, look) {
    super();
    this.#panel = panel;
    this.#look = look;
    this.#flight.abort();
    panel.querySelector(".stop").addEventListener("click", () => this.#onStop());
    document.addEventListener("visibilitychange", () => this.#onVisibility());
  }

  // `maybe` is the number of guesses that the visitor knows already.
  start(maybe) {
    this.stop();
    this.#looked = { photos: null, maybe, polls: 0 };
    this.#flight = new AbortController();
    this.#show(".waits");
    this.#panel.hidden = false;
    this.#panel.focus();
    this.#say(gettext("Waiting for more photos…"));
    mayNotify();
    this.#stayAwake();
    this.#poll();
  }

  stop() {
    this.#panel.hidden = true;
    document.title = TITLE;
    this.#rest();
  }

  #onStop() {
    this.stop();
    this.dispatchEvent(new Event("stop"));
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#flight.abort();
    this.#lock?.release();
    this.#lock = null;
  }

  async #stayAwake() {
    try {
      this.#lock = await navigator.wakeLock?.request("screen");
    } catch {
      return; // the battery is low, or the page not in sight
    }
    if (!this.#isWaiting()) this.#rest();
  }

  #onVisibility() {
    if (document.hidden || !this.#isWaiting()) return;
    this.#stayAwake();
    if (this.#timer) this.#poll(); // else it is at it
  }

  #isWaiting() {
    return !this.#flight.signal.aborted;
  }

  async #poll() {
    const { signal } = this.#flight;
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { status, data } = await request("GET", this.#panel.dataset.news, { signal });
    if (signal.aborted) return;
    if (status === 403 || status === 404) return this.#end(null);
    if (data) await this.#compare(data, signal);
    else this.#say(gettext("No connection. We go on as soon as it is back."));
    if (!signal.aborted) this.#timer = setTimeout(() => this.#poll(), 1000 * this.#panel.dataset.interval);
  }

  // Photos that came between the selfie and the first of these answers are not known of, so it looks at once.
  async #compare({ photos, pending }, signal) {
    this.#report(photos, pending);
    this.#looked.polls += 1;
    const isReady = this.#looked.photos === null || !pending || this.#looked.polls >= PATIENCE;
    if (photos === this.#looked.photos || !isReady) return;
    const answer = await this.#look(signal);
    if (!signal.aborted) this.#take(answer, photos);
  }

  #take(answer, photos) {
    if (answer?.sure || answer?.maybe > this.#looked.maybe) return this.#found(answer);
    if (!answer?.gallery && !STILL.has(answer?.code)) return this.#end(answer);
    // What did not get through is looked for again at the next poll.
    if (answer.gallery || answer.code === "no_match") Object.assign(this.#looked, { photos, polls: 0 });
  }

  #end(answer) {
    this.stop();
    this.dispatchEvent(new CustomEvent("end", { detail: answer }));
  }

  #report(photos, pending) {
    const looked = ngettext("%s photo looked at so far.", "%s photos looked at so far.", photos);
    const coming = ngettext("%s is on its way.", "%s are on their way.", pending);
    const texts = [count(looked, photos), pending ? count(coming, pending) : ""];
    this.#say(texts.join(" "));
  }

  #show(part) {
    for (const one of this.#panel.children) one.hidden = !one.matches(part);
  }

  #say(text) {
    this.#panel.querySelector(".so-far").textContent = text;
  }

  #found({ gallery, sure, maybe }) {
    this.#rest();
    const text = sure
      ? count(ngettext("You are in %s photo", "You are in %s photos", sure), sure)
      : count(ngettext("%s photo may show you", "%s photos may show you", maybe), maybe);
    this.#show(".found");
    this.#panel.querySelector(".found h2").textContent = text;
    this.#panel.querySelector(".found a").href = gallery;
    document.title = `${text} – ${TITLE}`;
    notify(text);
  }
}
