// One request to the API. Its outcome is a value: `status` is 0 where no answer came, `data` null where it is no JSON.

const PATIENCE = 120e3; // milliseconds without any sign of life

// Read anew each time: logging in again, in another tab, changes it.
function token() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  return cookie?.split("=")[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

// XMLHttpRequest, because fetch does not tell how much of a body has gone.
export function request(method, address, options = {}) {
  const { body = null, signal = null, onProgress = () => {}, patience = PATIENCE } = options;
  return new Promise((resolve) => {
    const http = new XMLHttpRequest();
    const abort = () => http.abort();
    let watch = setTimeout(abort, patience);
    http.open(method, address);
    http.setRequestHeader("Accept", "application/json");
    if (method !== "GET") http.setRequestHeader("X-CSRFToken", token());
    if (typeof body === "string") http.setRequestHeader("Content-Type", "application/json");
    http.responseType = "json";
    http.upload.onprogress = (event) => {
      clearTimeout(watch);
      watch = setTimeout(abort, patience);
      onProgress(event.total ? event.loaded / event.total : 0);
    };
    // After an answer, an error and an abort alike.
    http.onloadend = () => {
      clearTimeout(watch);
      signal?.removeEventListener("abort", abort);
      resolve({ status: http.status, data: http.response });
    };
    signal?.addEventListener("abort", abort);
    http.send(body);
  });
}

// Without its session the API refuses; something on the way may answer with a page to log in.
export const isLoggedOut = ({ status, data }) => status === 401 || status === 403 || (status === 200 && data === null);
