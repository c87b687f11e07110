// Several faces in a selfie: which one is meant?

import { gettext, interpolate } from "./language.js";

const percent = (share) => `${100 * share}%`;

function clamp(share) {
  return Math.min(1, Math.max(0, share));
}

function button([x, y, width, height], text, choose) {
  const face = Object.assign(document.createElement("button"), { type: "button", className: "meant" });
  Object.assign(face.style, { left: percent(x), top: percent(y), width: percent(width), height: percent(height) });
  const label = document.createElement("span");
  label.textContent = gettext("This is me");
  face.append(label);
  face.ariaLabel = text;
  face.addEventListener("click", () => choose(clamp(x + width / 2), clamp(y + height / 2)));
  return face;
}

// Shows the picture with a button over each face, from left to right; `choose` gets the middle of the one that is meant.
// A picture that the browser cannot show has no buttons.
export function offerFaces(figure, url, faces, choose) {
  const picture = document.createElement("img");
  const sorted = [...faces].sort(([a], [b]) => a - b);
  const text = gettext("This is me: face %s of %s, from the left");
  const buttons = sorted.map((face, index) =>
    button(face, interpolate(text, [index + 1, sorted.length]), choose),
  );
  figure.hidden = false;
  figure.replaceChildren(picture, ...buttons);
  picture.alt = gettext("Your selfie");
  picture.addEventListener("error", () => (figure.hidden = true));
  picture.src = url;
}
