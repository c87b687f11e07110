// Numbers as people read them.

import { language } from "./language.js";

export const count = (number) => number.toLocaleString(language);

export const decimal = (number) =>
  number.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const photos = (number) => (number === 1 ? "1 photo" : `${count(number)} photos`);

export const files = (number) => (number === 1 ? "1 file" : `${count(number)} files`);

export function bytes(number) {
  const [unit, size] = number < 1e6 ? ["kB", 1e3] : number < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  const value = number / size;
  return `${value.toLocaleString(language, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
}

export function timeLeft(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return "less than a minute left";
  const hours = Math.floor(minutes / 60);
  return hours ? `about ${count(hours)} h ${minutes % 60} min left` : `about ${minutes} min left`;
}
