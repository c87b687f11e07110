// A list that may become very long: it shows its beginning, and says how many more there are.

import { count } from "./words.js";

const SHOWN = 200;

export class LongList {
  #details;
  #title;
  #length = 0;

  constructor(details) {
    this.#details = details;
    this.#title = details.querySelector("summary").textContent;
  }

  clear() {
    this.#details.hidden = true;
    this.#details.querySelector("ul").replaceChildren();
    this.#details.querySelector(".more").textContent = "";
    this.#length = 0;
  }

  add(name, words = "") {
    this.#length += 1;
    if (this.#length <= SHOWN) this.#append(name, words);
    else this.#details.querySelector(".more").textContent = `and ${count(this.#length - SHOWN)} more`;
    this.#details.querySelector("summary").textContent = `${this.#title} (${count(this.#length)})`;
    this.#details.hidden = false;
  }

  #append(name, words) {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("strong"), { textContent: name }), ` ${words}`);
    this.#details.querySelector("ul").append(item);
  }
}
