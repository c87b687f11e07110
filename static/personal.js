// The personal link: copied, or passed to the device's own share sheet.

import { gettext } from "./language.js";

const link = document.querySelector("#personal");
const copy = document.querySelector("#copy");
const share = document.querySelector("#share-link");
const said = document.querySelector("#link-said");

async function copyLink() {
  link.select();
  // Where there is no clipboard (a site without HTTPS), or the browser still asks about it, the device's own way to copy
  // takes what is marked.
  said.textContent = gettext("The link is marked: copy it now.");
  const isCopied = await navigator.clipboard?.writeText(link.value).then(() => true, () => false);
  if (isCopied) said.textContent = gettext("Copied.");
}

function shareLink() {
  navigator.share({ title: share.dataset.title, url: link.value }).catch((error) => {
    if (error.name !== "AbortError") said.textContent = gettext("Sharing did not work. Copy the link instead.");
  });
}

// Not there where there are no photos.
if (link) {
  copy.hidden = false;
  share.hidden = !navigator.share;
  link.addEventListener("focus", () => link.select());
  copy.addEventListener("click", copyLink);
  share.addEventListener("click", shareLink);
}
