// A new API key, copied.

const key = document.querySelector("#key");
const copy = document.querySelector("#copy");
const said = document.querySelector("#said");

async function copyKey() {
  key.select();
  // Not there on a site without HTTPS: then the key is marked, and the device's own way to copy takes it.
  const isCopied = await navigator.clipboard?.writeText(key.value).then(() => true, () => false);
  said.textContent = isCopied ? "Copied." : "The key is marked: copy it now.";
}

copy.hidden = false;
key.addEventListener("focus", () => key.select());
copy.addEventListener("click", copyKey);
