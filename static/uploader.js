// Sends files in batches, some at a time, and nothing twice: before a batch goes, the server is asked what it has.

import { request } from "./api.js";
import { canHash, isReadable, sha256, UNREADABLE } from "./files.js";

const BATCH = { files: 8, bytes: 40e6 };
const LANES = 3;
const ASKED_AT_ONCE = 128;
const ATTEMPTS = 3; // of what the server itself fails at
const RATE_WINDOW = 15e3; // milliseconds

const size = (items) => items.reduce((sum, { file }) => sum + file.size, 0);

// Take the next batch out of what is ready.
function cut(ready) {
  let bytes = 0;
  const tooMuch = ready.findIndex(({ file }, place) => {
    bytes += file.size;
    return place > 0 && (place === BATCH.files || bytes > BATCH.bytes);
  });
  return ready.splice(0, tooMuch < 0 ? ready.length : tooMuch);
}

const isFull = (ready) => ready.length >= BATCH.files || size(ready) >= BATCH.bytes;

// One step ahead of who asks.
async function* ahead(source) {
  for (let next = source.next(); ; ) {
    const { value, done } = await next;
    if (done) return;
    next = source.next();
    yield value;
  }
}

// Events: `change`, `start`, `end`, and `refused` and `duplicate` with { name, reason }.
export class Uploader extends EventTarget {
  flights = Array(LANES).fill(null); // what is on the way: { items, share }
  isRunning = false;
  #addresses;
  #maxBytes;
  #connection;
  #queue = [];
  #seen = new Set();
  #samples = []; // for the rate
  #unsent = 0; // bytes of files that were done with without sending them

  constructor(connection, { addresses, maxBytes }) {
    super();
    this.#connection = connection;
    this.#addresses = addresses;
    this.#maxBytes = maxBytes;
    this.#reset();
    connection.addEventListener("change", () => (this.#samples = []));
  }

  #reset() {
    this.total = { files: 0, bytes: 0 };
    this.done = { files: 0, bytes: 0 };
    this.counts = { added: 0, known: 0, refused: 0 };
    this.#seen.clear();
  }

  // What is added during an upload joins its end.
  add(files) {
    if (!this.isRunning) this.#reset();
    for (const file of files) this.#queue.push({ file });
    this.total.files += files.length;
    this.total.bytes += files.reduce((sum, file) => sum + file.size, 0);
    if (!this.isRunning && files.length) this.#run();
    else this.#tell("change");
  }

  // Bytes that are done with or on their way.
  get bytes() {
    const flying = this.flights.filter(Boolean);
    return flying.reduce((sum, { items, share }) => sum + share * size(items), this.done.bytes);
  }

  // Bytes a second, of late; what was here already does not count.
  get rate() {
    if (this.#samples.length < 2) return 0;
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return Math.max(0, (last.sent - first.sent) / (last.time - first.time)) * 1e3;
  }

  get secondsLeft() {
    return this.rate ? (this.total.bytes - this.bytes) / this.rate : null;
  }

  sample() {
    const time = performance.now();
    this.#samples.push({ time, sent: this.bytes - this.#unsent });
    this.#samples = this.#samples.filter((sample) => sample.time > time - RATE_WINDOW);
  }

  async #run() {
    this.isRunning = true;
    this.#samples = [];
    this.#unsent = 0;
    this.#tell("start");
    try {
      while (this.#queue.length) {
        const batches = ahead(this.#batches());
        await Promise.all(this.flights.map((_, lane) => this.#fly(lane, batches)));
      }
    } finally {
      this.isRunning = false;
      this.#tell("end");
    }
  }

  async #fly(lane, batches) {
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      const flight = { items: next.value, share: 0 };
      this.flights[lane] = flight;
      await this.#deliver(flight);
      this.flights[lane] = null;
      this.#tell("change");
    }
  }

  // Before the first attempt

  async *#batches() {
    const ready = [];
    let group = BATCH.files;
    while (this.#queue.length || ready.length) {
      while (this.#queue.length && !isFull(ready)) {
        const fresh = await this.#fresh(this.#queue.splice(0, group));
        // Where all is here already, as in a folder chosen again, larger steps get there sooner.
        group = fresh.length ? BATCH.files : Math.min(group * 2, ASKED_AT_ONCE);
        ready.push(...fresh);
      }
      if (ready.length) yield cut(ready);
    }
  }

  // Return those that have to be sent.
  async #fresh(items) {
    const fits = ({ file }) => file.size <= this.#maxBytes;
    for (const item of items) if (!fits(item)) this.#refuse(item, `The file has more than ${this.#maxBytes / 1e6} MB.`);
    const fitting = items.filter(fits);
    if (!canHash) return fitting;
    const hashed = await this.#hashed(fitting);
    const known = await this.#known(hashed);
    for (const item of hashed) if (known.has(item.sha256)) this.#skip(item);
    this.#tell("change");
    return hashed.filter((item) => !known.has(item.sha256));
  }

  // One file after the other, so that only one is in memory.
  async #hashed(items) {
    const result = [];
    for (const item of items) {
      item.sha256 = await sha256(item.file);
      if (item.sha256 === null) this.#refuse(item, UNREADABLE);
      else if (this.#seen.has(item.sha256)) this.#skip(item);
      else result.push(item);
      this.#seen.add(item.sha256);
    }
    return result;
  }

  async #known(items) {
    const body = JSON.stringify({ sha256: items.map((item) => item.sha256) });
    let answer = null;
    while (items.length && !answer) {
      answer = await this.#connection.attempt((signal) => request("POST", this.#addresses.known, { body, signal }));
    }
    // Refused or failed: then all of it is sent, and the server recognises what it has.
    return new Set(answer?.data?.known);
  }

  // Delivery

  async #deliver(flight) {
    for (let failures = 0; flight.items.length; ) {
      const answer = await this.#connection.attempt((signal) => this.#post(flight, signal));
      if (!answer) await this.#reconsider(flight);
      else if (answer.status === 200) this.#settle(flight, answer.data);
      else if (answer.status >= 500 && (failures += 1) < ATTEMPTS) this.#connection.lose();
      else await this.#doubt(flight, answer);
    }
  }

  #post(flight, signal) {
    const body = new FormData();
    flight.items.forEach(({ file }) => body.append("files", file, file.name));
    const onProgress = (share) => {
      flight.share = share;
      this.#tell("change");
    };
    return request("POST", this.#addresses.upload, { body, signal, onProgress });
  }

  // Nobody knows how far it came: what arrived is not sent again, and a file that went away must not be tried for ever.
  async #reconsider(flight) {
    flight.share = 0;
    this.#tell("change");
    const arrived = canHash ? await this.#known(flight.items) : new Set();
    const left = [];
    for (const item of flight.items) {
      if (arrived.has(item.sha256)) this.#finish(item, "added");
      else if (await isReadable(item.file)) left.push(item);
      else this.#refuse(item, UNREADABLE);
    }
    flight.items = left;
  }

  #settle(flight, { files, errors }) {
    const { items } = flight;
    flight.items = [];
    errors.forEach(({ file, detail }) => this.#tell("refused", { name: file, reason: detail }));
    const known = files.filter((file) => file.duplicate);
    known.forEach(({ file }) => this.#tell("duplicate", { name: file }));
    this.counts.added += files.length - known.length;
    this.counts.known += known.length;
    this.counts.refused += errors.length;
    this.done.files += items.length;
    this.done.bytes += size(items);
  }

  // One file may spoil its batch: each is sent alone before it is refused.
  async #doubt(flight, answer) {
    const { items } = flight;
    flight.items = [];
    if (items.length === 1) this.#refuse(items[0], answer.data?.detail ?? `The server answered ${answer.status}.`);
    for (const item of items.length > 1 ? items : []) {
      Object.assign(flight, { items: [item], share: 0 });
      await this.#deliver(flight);
    }
  }

  // Outcomes of one file

  #skip(item) {
    this.#finish(item, "known");
    this.#unsent += item.file.size;
    this.#tell("duplicate", { name: item.file.name });
  }

  #refuse(item, reason) {
    this.#finish(item, "refused");
    this.#unsent += item.file.size;
    this.#tell("refused", { name: item.file.name, reason });
  }

  #finish(item, outcome) {
    this.counts[outcome] += 1;
    this.done.files += 1;
    this.done.bytes += item.file.size;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
