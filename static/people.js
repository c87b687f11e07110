// Staff: choosing faces and people on a page, and looking for another person.

const AFTER_TYPING = 250; // milliseconds

// Choosing: how many there are, all at once, and with Shift all in between.

function follow(form) {
  const boxes = [...form.querySelectorAll(".tiles input[type=checkbox]")];
  const chosen = form.querySelector(".chosen");
  const all = form.querySelector("[data-choose-all]");
  if (!chosen || !boxes.length) return;
  let last = null;

  function count() {
    const number = boxes.filter((box) => box.checked).length;
    chosen.textContent = `${number} chosen`;
    all.textContent = number === boxes.length ? "Choose none" : "Choose all";
    chosen.hidden = all.hidden = false;
  }

  function chooseBetween(event) {
    const box = event.target;
    if (event.shiftKey && last && last !== box) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const between of boxes.slice(from, to)) between.checked = box.checked;
    }
    last = box;
    count();
  }

  // Enter in a box or a field would press the first button.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  });
  for (const box of boxes) box.addEventListener("click", chooseBetween);
  all.addEventListener("click", () => {
    const isAll = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !isAll;
    count();
  });
  count();
}

// Looking for another person; the answer to an earlier question is no answer.

function offer(chooser) {
  const field = chooser.querySelector("input[type=search]");
  const list = chooser.querySelector(".tiles");
  let timer = 0;
  let asked = 0;

  async function ask() {
    asked += 1;
    const question = asked;
    const answer = await fetch(`${chooser.dataset.candidates}?q=${encodeURIComponent(field.value)}`).catch(() => null);
    const found = answer?.ok && !answer.redirected ? await answer.text() : null;
    if (question !== asked) return;
    if (found === null) list.textContent = "The server does not answer. Reload the page.";
    else list.innerHTML = found;
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, AFTER_TYPING);
  });
}

for (const form of document.querySelectorAll("[data-choosing]")) follow(form);
for (const chooser of document.querySelectorAll("[data-candidates]")) offer(chooser);
