// The files of a choice or a drop, folders included; and what identifies a file.

export const UNREADABLE = "It cannot be read.";

// A reader gives some entries at a time, and none at the end.
async function readEntries(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return entries;
    entries.push(...some);
  }
}

async function filesOf(entry, onUnreadable) {
  if (entry instanceof File) return [entry];
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const nested = await Promise.all((await readEntries(entry)).map((inner) => filesOf(inner, onUnreadable)));
    return nested.flat();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    onUnreadable(entry.name);
    return [];
  }
}

// Call it while the event is handled: afterwards, what was dropped is out of reach.
export async function dropped(event, onUnreadable) {
  // What comes from no file system, a picture out of another page, has no entry.
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return (await Promise.all(entries.map((entry) => filesOf(entry, onUnreadable)))).flat();
}

async function read(blob) {
  try {
    return await blob.arrayBuffer();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return null; // moved, changed, or the card was pulled out
  }
}

export const isReadable = async (file) => (await read(file.slice(0, 1))) !== null;

// Browsers hash on HTTPS and localhost only.
export const canHash = Boolean(globalThis.crypto?.subtle);

// In hexadecimal digits; null where the file cannot be read.
export async function sha256(file) {
  const content = await read(file);
  if (content === null) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
