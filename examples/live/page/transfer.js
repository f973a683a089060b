// What the upload and the download share: a bar that fills, and a hash.
import { $ } from "./dom.js";

/** Return the progress bar whose elements have ids that begin with *prefix*. */
export function bar(prefix) {
  return {
    show(name, share) {
      $(`${prefix}-progress`).hidden = false;
      $(`${prefix}-name`).textContent = name;
      $(`${prefix}-share`).textContent = share < 1 ? `${Math.floor(share * 100)} %` : "Hashing";
      $(`${prefix}-bar`).value = share;
    },
    hide() {
      $(`${prefix}-progress`).hidden = true;
    },
  };
}

/** Return the SHA-256 of a file; null where pages are not given one: away from https and this machine. */
export async function sha256(file) {
  if (!globalThis.crypto?.subtle) return null;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
}
