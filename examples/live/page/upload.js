// The upload: the file is the body of the request, and what comes back is its size and SHA-256.
// XMLHttpRequest, because fetch cannot tell how much has been sent.
import { $, make, tellSize } from "./dom.js";
import { bar, sha256 } from "./transfer.js";

const MAX_RESULTS = 5;

let limit = 64 * 1024 * 1024; // bytes; the server tells if it takes more or less
let current = null;
let onDone = () => {};
const progress = bar("upload");

export function startUpload(settings) {
  onDone = settings.onDone;
  const input = $("file");
  const drop = $("drop");
  input.addEventListener("change", () => {
    if (input.files.length) send(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  $("upload").addEventListener("submit", (event) => event.preventDefault());
  $("upload-cancel").addEventListener("click", () => current?.abort());
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}

/** Say how many bytes of a file the server takes. */
export function setLimit(bytes) {
  if (bytes === limit) return;
  limit = bytes;
  $("upload-limit").textContent = tellSize(limit);
}

function send(file) {
  current?.abort();
  problem("");
  if (file.size > limit) {
    problem(`${file.name} is larger than ${tellSize(limit)}.`);
    return;
  }
  const request = new XMLHttpRequest();
  current = request;
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) progress.show(file.name, event.loaded / event.total);
  });
  request.addEventListener("load", () => answered(request, file));
  request.addEventListener("error", () => problem("The connection broke before the file was through."));
  request.addEventListener("loadend", () => {
    if (current === request) {
      current = null;
      progress.hide();
    }
  });
  request.open("POST", `/upload?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  progress.show(file.name, 0);
}

function answered(request, file) {
  if (request.status !== 200) {
    problem(`${request.status}: ${request.responseText}`);
    return;
  }
  const result = JSON.parse(request.responseText);
  const row = show(result);
  onDone();
  compare(file, result, row);
}

/** Hash the file in this window too, and tell whether both agree. */
async function compare(file, result, row) {
  const verdict = row.querySelector(".verdict");
  try {
    const bytes = await sha256(file);
    if (!bytes) return;
    const own = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const same = own === result.sha256 && file.size === result.size;
    verdict.dataset.same = String(same);
    verdict.textContent = same ? "This browser computes the same" : "This browser computes another";
  } catch {
    verdict.textContent = "";
  }
}

function show(result) {
  const row = make("li");
  const head = make("p", "result-head");
  head.append(make("bdi", "result-name", result.name || "unnamed"));
  const size = make("span", "result-size", tellSize(result.size));
  size.title = `${result.size} bytes`;
  head.append(size);
  const sum = make("p", "sum");
  sum.append(make("span", "sum-label", "SHA-256"), make("code", "", result.sha256));
  const foot = make("p", "result-foot");
  foot.append(make("span", "verdict"));
  if (navigator.clipboard) {
    const copy = make("button", "quiet", "Copy");
    copy.type = "button";
    copy.setAttribute("aria-label", `Copy the SHA-256 of ${result.name || "the file"}`);
    copy.addEventListener("click", () => copyText(copy, result.sha256));
    foot.append(copy);
  }
  row.append(head, sum, foot);
  $("results").prepend(row);
  while ($("results").children.length > MAX_RESULTS) $("results").lastElementChild.remove();
  return row;
}

async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function problem(text) {
  $("upload-problem").textContent = text;
}
