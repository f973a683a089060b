// The few things that every part needs. Text gets into the page as text, never as markup.

export const $ = (id) => document.getElementById(id);

/** Make an element with a class and, where given, a text. */
export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB"];

/** Tell a number of bytes as people do: 1.4 MiB. */
export function tellSize(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Read a value that this window keeps over reloads; null where windows keep nothing. */
export function recall(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Then a reload forgets it.
  }
}
