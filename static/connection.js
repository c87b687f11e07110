// Whether something may be sent now: not while paused, not while the connection is lost or the session has ended.

import { isLoggedOut } from "./api.js";

const WAIT = { first: 2e3, longest: 30e3 }; // milliseconds before the next try; doubled each time
const LOST = new Set([0, 408, 429, 502, 503, 504]);

export class Connection extends EventTarget {
  state = "open"; // or "paused" by the user, "lost", "ended" with the session
  reason = ""; // what the server said when it was lost, if it said anything
  #wait = WAIT.first;
  #timer = 0;
  #flights = new AbortController();

  constructor() {
    super();
    window.addEventListener("online", () => this.state === "lost" && this.resume());
    // Only a hint, for a server on this machine needs no network; but requests on the way may hang for minutes.
    window.addEventListener("offline", () => {
      if (this.state === "open") this.#flights.abort();
      this.lose();
    });
  }

  // Send once, as soon as that may be: the answer, or null where it did not get through or is not wanted any more.
  async attempt(send) {
    while (this.state !== "open") await this.#changed();
    const { signal } = this.#flights;
    const answer = await send(signal);
    if (signal.aborted) return null;
    if (isLoggedOut(answer)) return this.#become("ended");
    if (LOST.has(answer.status)) return this.lose(answer.data?.detail);
    if (answer.status < 500) this.#wait = WAIT.first;
    return answer;
  }

  // Try again in a while, and less often each time.
  lose(reason = "") {
    if (this.state !== "open") return null;
    this.reason = reason;
    this.#timer = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, WAIT.longest);
    return this.#become("lost");
  }

  pause() {
    clearTimeout(this.#timer);
    this.#flights.abort();
    this.#become("paused");
  }

  resume() {
    this.#wait = WAIT.first;
    this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    if (this.#flights.signal.aborted) this.#flights = new AbortController();
    this.#become("open");
  }

  #changed() {
    return new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
  }

  #become(state) {
    const changed = this.state !== state;
    this.state = state;
    if (changed) this.dispatchEvent(new Event("change"));
    return null;
  }
}
