// One question to the server: who is in these selfies? The answer is a value, also where none came.

import { request } from "./api.js";
import { gettext } from "./language.js";

const PATIENCE = 60e3; // milliseconds without a sign of life

const AWAY = {
  code: "away",
  title: gettext("No connection"),
  advice: gettext("Your selfie did not get through. It is still here: try again once you are connected."),
};
const BROKEN = {
  code: "broken_answer",
  title: gettext("Something went wrong"),
  advice: gettext("The fault is ours, and your selfie is still here. Try again in a moment."),
};
const TOO_LARGE = {
  code: "file_too_large",
  title: gettext("These pictures are too large"),
  advice: gettext("Take the selfie with the camera of this page, or choose a smaller picture."),
};

const NO_COOKIES = {
  code: "no_cookies",
  title: gettext("This page needs its cookies"),
  advice: gettext("They were deleted, or your browser keeps none. Allow cookies, reload the page and try once more."),
};

// Returns what was found ({ gallery, sure, maybe }), or why nothing was ({ code, title, advice, … }); null where this
// page does not hold any more, because the event has closed, or the session has ended.
export async function ask(form, selfies, signal, onProgress) {
  const body = new FormData();
  body.append("consent", form.elements.consent.value);
  selfies.addTo(body);
  const { status, data } = await request("POST", form.action, { body, signal, onProgress, patience: PATIENCE });
  if (data?.gallery || data?.title) return data;
  if (status === 0) return AWAY;
  if (status === 413) return TOO_LARGE;
  if (status === 403 && !document.cookie.includes("csrftoken=")) return NO_COOKIES;
  return status < 400 || status === 403 || status === 404 ? null : BROKEN;
}
