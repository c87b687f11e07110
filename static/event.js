// The selfie: taken with the camera where a page may use one, shrunk before it is sent, sent as soon as it is there.

const LONG_SIDE = 1600; // pixels; the server looks at fewer
const QUALITY = 0.9;

const form = document.querySelector("#selfie");
const taken = form.querySelector("#taken");
const chosen = form.querySelector("#chosen");
const status = form.querySelector(".status");
const preview = form.querySelector("canvas");
const dialog = document.querySelector("#camera");
const video = dialog.querySelector("video");

let asking = false; // for the camera; the answer may take a while
let cameraMayWork = Boolean(navigator.mediaDevices?.getUserMedia);

function draw(canvas, picture, width, height, scale = 1) {
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
}

async function toFile(canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([blob], "selfie.jpg", { type: "image/jpeg" });
}

// Returns the file itself where it is small already, or of a kind that only the server can read.
async function shrink(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = LONG_SIDE / Math.max(picture.width, picture.height);
    draw(preview, picture, picture.width, picture.height, Math.min(1, scale));
    preview.hidden = false;
    return scale < 1 ? await toFile(preview) : file;
  } catch {
    return file;
  }
}

function send(file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  taken.value = "";
  chosen.files = transfer.files;
  form.requestSubmit();
}

function isBusy() {
  return form.ariaBusy === "true";
}

function say(text, bad = false) {
  status.textContent = text;
  status.classList.toggle("bad", bad);
}

function busy() {
  form.ariaBusy = "true";
  say("Looking for you…");
}

async function sendChosen(event) {
  const [file] = event.target.files;
  if (file && !isBusy()) {
    busy();
    send(await shrink(file));
  }
}

// A page that the browser kept comes back as it was left: in the middle of looking.
function reset() {
  form.reset();
  form.ariaBusy = "false";
  say("");
  preview.hidden = true;
}

async function openCamera() {
  const constraints = { video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } } };
  asking = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia(constraints);
    if (isBusy()) closeCamera(); // a photo was chosen while the visitor was asked
    else dialog.showModal();
  } catch {
    cameraMayWork = false;
    if (!isBusy()) say("The camera cannot be used here. Choose a photo of yourself.", true);
    chosen.focus();
  }
  asking = false;
}

function closeCamera() {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

async function shoot() {
  if (!video.videoWidth) return; // the first frame is still to come
  draw(preview, video, video.videoWidth, video.videoHeight);
  preview.hidden = false;
  busy();
  dialog.close();
  send(await toFile(preview));
}

form.classList.add("enhanced");
taken.addEventListener("change", sendChosen);
chosen.addEventListener("change", sendChosen);
taken.addEventListener("click", (event) => {
  if (!cameraMayWork && !isBusy()) return;
  event.preventDefault();
  if (!asking && !isBusy()) openCamera();
});
chosen.addEventListener("click", (event) => isBusy() && event.preventDefault());
dialog.addEventListener("close", closeCamera);
dialog.querySelector(".close").addEventListener("click", () => dialog.close());
dialog.querySelector(".shutter").addEventListener("click", shoot);
window.addEventListener("pageshow", (event) => event.persisted && reset());
document.querySelector("#problem")?.focus();
