// The chat: what the server tells becomes lines of the log, what is typed goes to the server.
import { $, recall, remember } from "./dom.js";
import { Log } from "./log.js";
import { showPeople } from "./people.js";
import { Line } from "./socket.js";

const FIRST_NAMES = "Amber Brisk Clear Copper Early Gentle Hazel Misty Northern Quiet Silver Slate".split(" ");
const LAST_NAMES = "Alder Dipper Eddy Heron Kingfisher Millpond Otter Penstock Sluice Spillway Trout Weir".split(" ");

let line = null;
let log = null;
let you = null;
let server = null;
let countdown = null;
let onMessage = () => {};
let onPeople = () => {};

export function startChat(settings) {
  onMessage = settings.onMessage;
  onPeople = settings.onPeople;
  log = new Log($("log"), $("empty"), $("newer"));
  $("name").value = recall("name") || inventName();
  remember("name", $("name").value);
  $("name").addEventListener("change", rename);
  $("name").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    $("say").focus();
  });
  $("say").addEventListener("input", typed);
  $("say").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    say();
  });
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    say();
  });
  $("retry").addEventListener("click", () => line.retry());
  line = new Line({ opened, received, lost, trying });
}

// -- what the person does

function say() {
  const text = $("say").value.trim();
  if (!text || !line.send({ type: "say", text })) return;
  $("say").value = "";
  typed();
}

function typed() {
  const field = $("say");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 150)}px`;
  const left = field.maxLength - field.value.length;
  $("count").textContent = left <= 100 ? `${left} left` : "";
  $("problem").textContent = "";
  allowSending();
}

function rename() {
  const name = $("name").value.trim() || inventName();
  $("name").value = name;
  remember("name", name);
  line.send({ type: "name", name });
}

function allowSending() {
  $("send").disabled = you === null || !line.open || !$("say").value.trim();
}

// -- what the connection does

function opened() {
  line.send({ type: "name", name: $("name").value });
}

function trying() {
  clearInterval(countdown);
  showLink("waiting", "Connecting…", false);
}

function lost(wait) {
  you = null;
  allowSending();
  showPeople([], null);
  const until = Date.now() + wait;
  const tell = () => {
    const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    showLink("lost", `Connection lost. Trying again in ${seconds} s.`, true);
  };
  tell();
  clearInterval(countdown);
  countdown = setInterval(tell, 1000);
}

function received(message) {
  if (message.people) {
    showPeople(message.people, you ?? message.you);
    onPeople();
  }
  switch (message.type) {
    case "welcome":
      welcome(message);
      break;
    case "message":
      log.addMessage(message, message.person === you);
      onMessage();
      break;
    case "joined":
    case "left":
      log.addNotice(`${message.name} ${message.type === "left" ? "left" : "came in"}`, message.at);
      break;
    case "renamed":
      log.addNotice(`${message.old} is now ${message.name}`, message.at);
      break;
    case "error":
      $("problem").textContent = message.text;
      break;
  }
}

function welcome(message) {
  if (server !== null && server !== message.server) {
    log.forgetNumbers();
    log.addNotice("The server has started anew", new Date().toISOString());
  }
  server = message.server;
  you = message.you;
  $("name").maxLength = message.limits.name;
  $("say").maxLength = message.limits.text;
  // A window that comes back knows a part of the history already.
  for (const past of message.history) log.addMessage(past, false);
  showLink("open", "", false);
  allowSending();
}

function showLink(state, text, canRetry) {
  $("link").dataset.state = state;
  if ($("link-text").textContent !== text) $("link-text").textContent = text;
  $("retry").hidden = !canRetry;
}

function inventName() {
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  return `${pick(FIRST_NAMES)} ${pick(LAST_NAMES)}`;
}
