// The download: read piece by piece, so that the bar can tell how much is there.
import { $, make, tellSize } from "./dom.js";
import { bar, sha256 } from "./transfer.js";

let current = null;
const progress = bar("download");

export function startDownload(settings) {
  for (const button of document.querySelectorAll("[data-mib]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault(); // without scripts it is a link to the file
      receive(button.href, button.dataset.mib).finally(settings.onDone);
    });
  }
  $("download-cancel").addEventListener("click", () => current?.abort());
}

async function receive(url, mib) {
  current?.abort();
  const abort = new AbortController();
  current = abort;
  problem("");
  const name = `headrace-${mib}-mib.bin`;
  try {
    progress.show(name, 0);
    const answer = await fetch(url, { signal: abort.signal });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    const file = await read(answer, name);
    await compare(file, name, answer.headers.get("Repr-Digest"));
  } catch (error) {
    if (error.name !== "AbortError") problem(error.message || "The connection broke.");
  }
  if (current === abort) {
    current = null;
    progress.hide();
  }
}

async function read(answer, name) {
  const total = Number(answer.headers.get("Content-Length"));
  const pieces = [];
  let loaded = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    loaded += value.length;
    progress.show(name, loaded / total);
  }
  return new Blob(pieces, { type: "application/octet-stream" });
}

/** Hash what came and tell whether it is what the server announced; offer to save it. */
async function compare(file, name, digest) {
  const row = make("li");
  const head = make("p", "result-head");
  head.append(make("span", "result-name", name), make("span", "result-size", tellSize(file.size)));
  const foot = make("p", "result-foot");
  const verdict = make("span", "verdict");
  const save = make("a", "", "Save");
  save.href = URL.createObjectURL(file);
  save.download = name;
  foot.append(verdict, save);
  row.append(head, foot);
  const old = $("download-result").firstElementChild;
  if (old) URL.revokeObjectURL(old.querySelector("a").href);
  $("download-result").replaceChildren(row);
  const own = await sha256(file);
  if (!own) return;
  const same = digest === `sha-256=:${btoa(String.fromCharCode(...own))}:`;
  verdict.dataset.same = String(same);
  verdict.textContent = same ? "It is what the server announced" : "It is not what the server announced";
}

function problem(text) {
  $("download-problem").textContent = text;
}
