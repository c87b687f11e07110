// Staff: photos go up in small batches, several at a time; then the server is asked to process until nothing waits.

const BATCH = { files: 8, bytes: 40e6 };
const PARALLEL = 3;
const ATTEMPTS = 3;
const PAUSE = 2000; // milliseconds before an attempt is repeated

const uploadForm = document.querySelector("#upload");
const drop = uploadForm.querySelector(".drop");
const sending = document.querySelector("#sending");
const sent = document.querySelector("#sent");
const refused = document.querySelector("#refused");
const processForm = document.querySelector("#process");
const processed = document.querySelector("#processed");
const token = uploadForm.querySelector("[name=csrfmiddlewaretoken]").value;
const size = (files) => files.reduce((sum, file) => sum + file.size, 0);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Upload

function refuse(file, reason) {
  const name = Object.assign(document.createElement("strong"), { textContent: file });
  const item = document.createElement("li");
  item.append(name, ` ${reason}`);
  refused.querySelector("ul").append(item);
  refused.hidden = false;
}

function batches(files) {
  const result = [];
  let batch = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length && (batch.length === BATCH.files || bytes + file.size > BATCH.bytes)) {
      result.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push(file);
    bytes += file.size;
  }
  return batch.length ? [...result, batch] : result;
}

// XMLHttpRequest, because fetch does not tell how much of a body has gone.
function post(batch, onProgress) {
  const body = new FormData();
  batch.forEach((file) => body.append("files", file, file.name));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", uploadForm.dataset.api);
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onload = () => resolve(request);
    request.onerror = reject;
    request.send(body);
  });
}

async function deliver(batch, onProgress) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await pause(PAUSE * attempt);
    const answer = await post(batch, onProgress).catch(() => null);
    if (answer?.status === 200) return answer.response;
    if (answer && answer.status < 500) throw new Error(answer.response?.detail ?? `Refused (${answer.status}).`);
  }
  throw new Error("It did not get through. Choose it again.");
}

function withinLimit(file) {
  const fits = file.size <= uploadForm.dataset.maxMb * 1e6;
  if (!fits) refuse(file.name, `The file has more than ${uploadForm.dataset.maxMb} MB.`);
  return fits;
}

async function upload(files) {
  const fitting = files.filter(withinLimit);
  const queue = batches(fitting);
  const total = size(fitting) || 1;
  const count = { added: 0, known: 0, refused: files.length - fitting.length };
  const gone = new Map();

  function advance(batch, share) {
    gone.set(batch, share * size(batch));
    sending.firstElementChild.value = [...gone.values()].reduce((sum, bytes) => sum + bytes, 0) / total;
  }

  // Once per batch: a screen reader reads all of it.
  function report() {
    const done = count.added + count.known + count.refused;
    const counts = `${count.added} added, ${count.known} already here, ${count.refused} refused.`;
    sent.textContent = `${done} of ${files.length}: ${counts}`;
  }

  async function work() {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      try {
        const answer = await deliver(batch, (share) => advance(batch, share));
        answer.errors.forEach((error) => refuse(error.file, error.detail));
        count.added += answer.uploaded;
        count.known += answer.files.length - answer.uploaded;
        count.refused += answer.errors.length;
      } catch (error) {
        batch.forEach((file) => refuse(file.name, error.message));
        count.refused += batch.length;
      }
      advance(batch, 1);
      report();
    }
  }

  sending.hidden = false;
  report();
  await Promise.all(Array.from({ length: PARALLEL }, work));
  sending.hidden = true;
  add({ images: count.added, pending: count.added });
}

let uploads = Promise.resolve();
let waiting = 0;

// One after the other: what is dropped during an upload waits for its turn.
function uploadAll(files) {
  const visible = files.filter((file) => !file.name.startsWith("."));
  if (!visible.length) return uploads;
  if (!waiting) {
    refused.hidden = true;
    refused.querySelector("ul").replaceChildren();
  }
  waiting += 1;
  uploadForm.ariaBusy = "true";
  uploads = uploads.then(() => upload(visible)).finally(() => {
    waiting -= 1;
    uploadForm.ariaBusy = String(waiting > 0);
  });
  return uploads;
}

// Drag and drop, folders included

// A reader gives some entries at a time, and none at the end.
async function readEntries(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return entries;
    entries.push(...some);
  }
}

async function filesOf(entry) {
  if (entry instanceof File) return [entry];
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const nested = await Promise.all((await readEntries(entry)).map(filesOf));
    return nested.flat();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    refuse(entry.name, "It cannot be read.");
    return [];
  }
}

async function dropped(event) {
  event.preventDefault();
  drop.classList.remove("over");
  // What comes from no file system, a picture out of another page, has no entry.
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  await uploadAll((await Promise.all(entries.map(filesOf))).flat());
}

// Processing

function figure(name) {
  return document.querySelector(`[data-figure=${name}]`);
}

function setFigure(name, value) {
  figure(name).dataset.value = value;
  figure(name).textContent = value.toLocaleString("en");
  figure(name).parentElement.hidden = name === "failed" && !value;
}

function add(figures) {
  for (const [name, more] of Object.entries(figures)) {
    const before = Number(figure(name).dataset.value ?? figure(name).textContent.replaceAll(",", ""));
    setFigure(name, before + more);
  }
}

async function step() {
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const response = await fetch(processForm.action, { method: "POST", headers });
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (!isJson) throw new Error(response.redirected ? "Log in again, then go on." : `The server answered ${response.status}.`);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

async function processAll() {
  const bar = processForm.querySelector("progress");
  let done = 0;
  let failed = 0;
  bar.removeAttribute("value"); // until the first answer: at work, no telling how far
  bar.hidden = false;
  processed.classList.remove("bad");
  processed.textContent = "Working…";
  for (let pending = Infinity; pending > 0; ) {
    const answer = await step();
    ["images", "pending", "faces", "persons", "failed"].forEach((name) => setFigure(name, answer[name]));
    // Another process may be at the same photos: wait for it instead of asking without end.
    if (answer.pending && !answer.images_processed) await pause(PAUSE);
    ({ pending, failed } = answer);
    done += answer.images_processed;
    bar.value = done + pending ? done / (done + pending) : 1;
    processed.textContent = `${done} done, ${pending} to go.`;
  }
  const failures = failed ? ` ${failed} failed, see the list below.` : "";
  processed.textContent = (done ? `All done: ${done} processed.` : "Nothing was waiting.") + failures;
}

async function showFailures() {
  const response = await fetch(location.pathname);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  page.querySelector("#failures details")?.setAttribute("open", "");
  document.querySelector("#failures").replaceWith(page.querySelector("#failures"));
}

async function onProcess(event) {
  event.preventDefault();
  if (processForm.ariaBusy === "true") return;
  processForm.ariaBusy = "true";
  try {
    await processAll();
    await showFailures();
  } catch (error) {
    processForm.querySelector("progress").hidden = true;
    processed.classList.add("bad");
    processed.textContent = error.message;
  }
  processForm.ariaBusy = "false";
}

uploadForm.classList.add("enhanced");
uploadForm.addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  uploadAll(files);
});
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", dropped);
// Beside the box, the browser would leave the page and open the file.
["dragover", "drop"].forEach((type) => window.addEventListener(type, (event) => event.preventDefault()));
processForm.addEventListener("submit", onProcess);
window.addEventListener("beforeunload", (event) => {
  if (uploadForm.ariaBusy === "true") event.preventDefault(); // asks before an upload is lost
});
