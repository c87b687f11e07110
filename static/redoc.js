// ReDoc styles itself by style elements of its own. With the page's nonce, the Content-Security-Policy lets it.

const { nonce } = document.currentScript;
const create = document.createElement;

document.createElement = function (name, options) {
  const element = create.call(this, name, options);
  if (name === "style") element.nonce = nonce;
  return element;
};
