// The sheet is printed from its own page.

const button = document.querySelector("#print");

button.hidden = false;
button.addEventListener("click", () => window.print());
