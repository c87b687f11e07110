// The camera of this page: a dialog that shows it, guides, and gives one picture.

import { Guide } from "./guide.js";
import { gettext } from "./language.js";
import { draw, toFile } from "./selfies.js";

const HINTS = {
  face: gettext("Put your face in the oval"),
  one: gettext("Only one face, please"),
  closer: gettext("Come closer"),
  light: gettext("More light: turn towards it"),
  glare: gettext("Too bright: turn out of the glare"),
  still: gettext("Hold still"),
};
const READY = gettext("Good. Take the picture");
const UNSEEN = gettext("Fill the oval with your face alone");

// Dispatches "shot", with a promise of the picture as a file, when one has been taken, and "stopped" when the device has
// taken the camera away: for a call, another program, or because it was unplugged.
export class Camera extends EventTarget {
  mayWork = Boolean(navigator.mediaDevices?.getUserMedia);
  asking = false; // for the camera; the answer may take a while
  #dialog;
  #video;
  #hint;
  #guide;

  constructor(dialog) {
    super();
    this.#dialog = dialog;
    this.#video = dialog.querySelector("video");
    this.#hint = dialog.querySelector(".guide");
    this.#guide = new Guide(this.#video, dialog.querySelector(".oval"), (verdict) => this.#say(verdict));
    dialog.addEventListener("close", () => this.#switchOff());
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.querySelector(".shutter").addEventListener("click", () => this.#shoot());
  }

  // Tells whether the camera can be used; `isWanted` is asked again once the visitor has allowed it.
  async open(isWanted) {
    const constraints = { video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } } };
    this.asking = true;
    try {
      this.#watch(await navigator.mediaDevices.getUserMedia(constraints));
    } catch {
      this.mayWork = false;
    }
    this.asking = false;
    if (this.mayWork && isWanted()) this.#show();
    else this.#switchOff();
    return this.mayWork;
  }

  close() {
    this.#dialog.close();
  }

  #show() {
    this.#say("good", UNSEEN);
    this.#dialog.showModal();
    this.#guide.start();
  }

  // Both never come of our own `stop`.
  #watch(stream) {
    this.#video.srcObject = stream;
    for (const kind of ["ended", "mute"]) {
      for (const track of stream.getTracks()) track.addEventListener(kind, () => this.#onEnd(stream));
    }
  }

  #onEnd(stream) {
    if (this.#video.srcObject !== stream || !this.#dialog.open) return;
    this.#dialog.close();
    this.dispatchEvent(new Event("stopped"));
  }

  #switchOff() {
    this.#guide.stop();
    this.#video.srcObject?.getTracks().forEach((track) => track.stop());
    this.#video.srcObject = null;
  }

  #say(verdict, text = HINTS[verdict] ?? (this.#guide.seesFaces ? READY : UNSEEN)) {
    this.#hint.textContent = text;
    this.#dialog.dataset.verdict = verdict;
  }

  #shoot() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return; // the first frame is still to come
    const picture = draw(this.#video, videoWidth, videoHeight);
    this.#dialog.close();
    this.dispatchEvent(new CustomEvent("shot", { detail: toFile(picture) }));
  }
}
