// A new API key, copied.

const key = document.querySelector("#key");
const copy = document.querySelector("#copy");
const said = document.querySelector("#said");

async function copyKey() {
  key.select();
  // Where there is no clipboard (a site without HTTPS), or the browser still asks about it, the device's own way to copy
  // takes what is marked.
  said.textContent = "The key is marked: copy it now.";
  const isCopied = await navigator.clipboard?.writeText(key.value).then(() => true, () => false);
  if (isCopied) said.textContent = "Copied.";
}

copy.hidden = false;
key.addEventListener("focus", () => key.select());
copy.addEventListener("click", copyKey);
