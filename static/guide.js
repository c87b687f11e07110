// What would make a better selfie, measured on the camera's picture a few times a second, on this device alone.

import { grey, mean, sharpness } from "./measures.js";

const EVERY = 250; // milliseconds between two looks
const SETTLED = 3; // looks in a row that must agree, so that the words do not flicker
const STAYS = 2000; // milliseconds that a hint stays at least, so that it can be read, and heard
const SIDE = 64; // pixels of the copy that is measured
const DARK = 60; // mean luminance of 255; the server refuses below 25
const GLARING = 225;
const BLURRED = 0.025; // share of the contrast in the finest details; the server refuses below 0.02
const MOVING = 14; // mean change of the luminance from one look to the next
const CLOSE = 0.45; // height of a face, as a share of the oval's

function change(values, before) {
  return before ? mean(values.map((value, i) => Math.abs(value - before[i]))) : 0;
}

// Where the oval lies in the video's own pixels; the video covers its box.
function region(video, oval) {
  const [shown, box] = [video.getBoundingClientRect(), oval.getBoundingClientRect()];
  const scale = Math.max(shown.width / video.videoWidth, shown.height / video.videoHeight);
  const width = box.width / scale;
  const height = box.height / scale;
  const x = video.videoWidth / 2 + (box.x + box.width / 2 - shown.x - shown.width / 2) / scale - width / 2;
  const y = video.videoHeight / 2 + (box.y + box.height / 2 - shown.y - shown.height / 2) / scale - height / 2;
  return { x, y, width, height };
}

function verdictOfFaces(faces, { height }) {
  if (!faces.length) return "face";
  if (faces.length > 1) return "one";
  return faces[0].boundingBox.height < CLOSE * height ? "closer" : null;
}

// Calls `say` with "face", "one", "closer", "light", "glare", "still" or "good", and again only when that has changed.
export class Guide {
  #video;
  #oval;
  #say;
  #pen = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }).getContext("2d", {
    willReadFrequently: true,
  });
  #detector = "FaceDetector" in globalThis ? new FaceDetector({ maxDetectedFaces: 3, fastMode: true }) : null;
  #run = 0; // a look that ends after `stop` is of no interest any more
  #timer = 0;
  #before = null;
  #said = null;
  #saidAt = -Infinity;
  #verdict = null;
  #looks = 0; // that gave this verdict, one after the other

  constructor(video, oval, say) {
    [this.#video, this.#oval, this.#say] = [video, oval, say];
  }

  // Without it, "good" means that light and focus are; nobody knows of the face.
  get seesFaces() {
    return this.#detector !== null;
  }

  start() {
    this.stop();
    this.#schedule(this.#run);
  }

  stop() {
    this.#run += 1;
    clearTimeout(this.#timer);
    this.#before = this.#said = this.#verdict = null;
    this.#saidAt = -Infinity;
  }

  #schedule(run) {
    this.#timer = setTimeout(() => this.#look(run), EVERY);
  }

  async #look(run) {
    if (this.#video.videoWidth) {
      const verdict = await this.#judge(region(this.#video, this.#oval));
      if (run !== this.#run) return;
      this.#settle(verdict);
    }
    this.#schedule(run);
  }

  async #judge(area) {
    const aboutFace = this.#detector && verdictOfFaces(await this.#faces(), area);
    return aboutFace || this.#measure(area) || "good";
  }

  async #faces() {
    try {
      return await this.#detector.detect(this.#video);
    } catch {
      this.#detector = null; // it is there in name only
      return [];
    }
  }

  #measure({ x, y, width, height }) {
    this.#pen.drawImage(this.#video, x, y, width, height, 0, 0, SIDE, SIDE);
    const values = grey(this.#pen.getImageData(0, 0, SIDE, SIDE));
    const [light, moved] = [mean(values), change(values, this.#before)];
    this.#before = values;
    if (light < DARK) return "light";
    if (light > GLARING) return "glare";
    return moved > MOVING || sharpness(values, SIDE) < BLURRED ? "still" : null;
  }

  #settle(verdict) {
    this.#looks = verdict === this.#verdict ? this.#looks + 1 : 1;
    this.#verdict = verdict;
    const now = performance.now();
    if (verdict === this.#said || this.#looks < SETTLED || now - this.#saidAt < STAYS) return;
    [this.#said, this.#saidAt] = [verdict, now];
    this.#say(verdict);
  }
}
