// The selfies that are sent together: in this page's memory only, each with a thumbnail and a button to take it away.

import { gettext, interpolate } from "./language.js";

const MOST = 3; // the server takes no more
const LONG_SIDE = 1600; // pixels; the server looks at fewer
const QUALITY = 0.9;

export async function toFile(canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([blob], "selfie.jpg", { type: "image/jpeg" });
}

export function draw(picture, width, height, scale = 1) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// Returns the file itself where it is small already, or of a kind that only the server can read.
async function shrink(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = LONG_SIDE / Math.max(picture.width, picture.height);
    const small = scale < 1 ? await toFile(draw(picture, picture.width, picture.height, scale)) : file;
    picture.close();
    return small;
  } catch {
    return file;
  }
}

// Dispatches "remove" when the visitor has taken one away.
export class Selfies extends EventTarget {
  #kept = [];
  #list;

  constructor(list) {
    super();
    this.#list = list;
  }

  get count() {
    return this.#kept.length;
  }

  // In place of those that are of no use, and of the oldest ones where there are too many.
  // Files, or promises of files.
  async add(files) {
    const small = await Promise.all([...files].slice(-MOST).map(async (file) => shrink(await file)));
    this.#keep(this.#kept.filter((selfie) => !selfie.useless));
    this.#keep([...this.#kept, ...small.map((file) => ({ file, url: URL.createObjectURL(file) }))].slice(-MOST));
  }

  clear() {
    this.#keep([]);
  }

  // The server can do nothing with it: the next one takes its place.
  reject(index) {
    this.#kept[index].useless = true;
    this.#show();
  }

  urlOf(index) {
    return this.#kept[index].url;
  }

  // The face at this point (in shares of the picture) is the one that is meant.
  mean(index, x, y) {
    this.#kept[index].meant = `${x.toFixed(4)},${y.toFixed(4)}`;
  }

  addTo(body) {
    this.#kept.forEach(({ file, meant }, index) => {
      body.append("file", file, file.name);
      if (meant) body.append("meant", `${index}:${meant}`);
    });
  }

  #keep(selfies) {
    for (const gone of this.#kept.filter((selfie) => !selfies.includes(selfie))) URL.revokeObjectURL(gone.url);
    this.#kept = selfies;
    this.#show();
  }

  #show() {
    this.#list.hidden = !this.count;
    this.#list.replaceChildren(...this.#kept.map((selfie, index) => this.#item(selfie, index + 1)));
  }

  #item(selfie, number) {
    const template = document.querySelector("#kept-one").content.cloneNode(true);
    const item = template.querySelector("li");
    item.classList.toggle("useless", Boolean(selfie.useless));
    Object.assign(item.querySelector("img"), { src: selfie.url, alt: interpolate(gettext("Selfie %s"), [number]) });
    const button = item.querySelector("button");
    button.ariaLabel = interpolate(gettext("Take selfie %s away"), [number]);
    button.addEventListener("click", () => this.#remove(selfie));
    return item;
  }

  #remove(selfie) {
    const next = Math.min(this.#kept.indexOf(selfie), this.count - 2);
    this.#keep(this.#kept.filter((other) => other !== selfie));
    this.#list.querySelectorAll("button")[next]?.focus();
    this.dispatchEvent(new Event("remove"));
  }
}
