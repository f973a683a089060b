// The figures: /api/status, read while somebody is looking.
import { $, tellSize } from "./dom.js";

const INTERVAL = 3000; // milliseconds
const SOON = 400;
const PATIENCE = 5000;
const number = new Intl.NumberFormat("en");

let started = null; // when the server did, by this window's clock
let timer = null;
let soon = null;
let onFigures = () => {};

export function startGauge(settings) {
  onFigures = settings.onFigures;
  setInterval(() => {
    if (started !== null) show("uptime", tellTime((Date.now() - started) / 1000));
  }, 1000);
  document.addEventListener("visibilitychange", read);
  read();
}

/** Something has happened: read before the interval is over, once for all that happens now. */
export function readSoon() {
  if (soon !== null) return;
  soon = setTimeout(() => {
    soon = null;
    read();
  }, SOON);
}

async function read() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/status", { signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    showAll(await answer.json());
    note("fresh", "");
  } catch {
    started = null;
    note("stale", "The server does not answer. These are the last figures.");
  }
  clearTimeout(timer);
  timer = setTimeout(read, INTERVAL);
}

function showAll(figures) {
  started = Date.now() - figures.uptime_seconds * 1000;
  show("uptime", tellTime(figures.uptime_seconds));
  show("requests", number.format(figures.requests));
  show("people", number.format(figures.people_online));
  show("messages", number.format(figures.messages));
  show("uploads", number.format(figures.uploads), tellSize(figures.uploaded_bytes));
  show("parser", tellTwin(figures.implementation.http_parser));
  show("frames", tellTwin(figures.implementation.websocket));
  show("python", figures.python);
  show("loop", figures.event_loop);
  onFigures(figures);
}

function show(figure, text, title) {
  const cell = document.querySelector(`[data-figure="${figure}"]`);
  if (cell.textContent !== text) cell.textContent = text;
  if (title) cell.title = title;
}

function note(state, text) {
  const element = $("figures-note");
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.textContent = text;
  $("figures").dataset.state = state;
}

const tellTwin = (twin) => (twin === "c" ? "compiled" : "Python");

function tellTime(seconds) {
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const days = Math.floor(whole / 86400);
  const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  return `${days ? `${days} d ` : ""}${clock.map(two).join(":")}`;
}
