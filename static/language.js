// The page's texts in its language, by the catalog of /language.js; without one, in English as they stand here.

const catalog = globalThis.django;

// How numbers and dates are written on this page.
export const language = document.documentElement.lang;

export const gettext = (text) => catalog?.gettext(text) ?? text;

export const ngettext = (one, many, count) => catalog?.ngettext(one, many, count) ?? (count === 1 ? one : many);

// Puts the values of an object in place of %(name)s, or those of an array in place of each %s.
export function interpolate(text, values) {
  let next = 0;
  return text.replace(/%\((\w+)\)s|%s/g, (_, name) => String(name ? values[name] : values[next++]));
}
