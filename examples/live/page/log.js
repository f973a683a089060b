// The list of messages: bounded, grouped by person, kept at its end while the reader is there.
import { make } from "./dom.js";
import { makeBadge } from "./people.js";

const MAX_LINES = 300;
const NEAR = 60; // pixels from the end that count as being there
const GROUP = 3 * 60 * 1000; // milliseconds within which a person's messages stand together

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export class Log {
  #list;
  #empty;
  #newer;
  #seen = 0; // the number of the newest message shown
  #last = null; // the newest message, when no notice came after it

  constructor(list, empty, newer) {
    this.#list = list;
    this.#empty = empty;
    this.#newer = newer;
    newer.addEventListener("click", () => this.#toEnd());
    list.addEventListener("scroll", () => { if (this.#atEnd()) newer.hidden = true; });
    new ResizeObserver(() => { if (newer.hidden) this.#toEnd(); }).observe(list);
  }

  /** Another server counts from one again. */
  forgetNumbers() {
    this.#seen = 0;
  }

  addMessage(message, own) {
    if (message.id <= this.#seen) return;
    this.#seen = message.id;
    const goesOn = this.#continues(message);
    const line = make("li", `said${own ? " own" : ""}${goesOn ? " goes-on" : ""}`);
    if (!goesOn) line.append(makeBadge(message.name), this.#head(message, own));
    line.append(make("p", "text", message.text));
    this.#last = { ...message, own };
    this.#append(line, own);
  }

  addNotice(text, at) {
    const line = make("li", "notice");
    line.append(make("span", "", text), this.#time(at));
    this.#last = null;
    this.#append(line, false);
  }

  #continues(message) {
    const last = this.#last;
    if (last === null || last.person !== message.person || last.name !== message.name) return false;
    return new Date(message.at) - new Date(last.at) < GROUP;
  }

  #head(message, own) {
    const head = make("p", "who");
    head.append(make("bdi", "", own ? "You" : message.name), this.#time(message.at));
    return head;
  }

  #time(at) {
    const time = make("time", "", clock.format(new Date(at)));
    time.dateTime = at;
    return time;
  }

  #append(line, own) {
    const follow = own || this.#atEnd();
    this.#empty.hidden = true;
    this.#list.append(line);
    while (this.#list.children.length > MAX_LINES) this.#list.firstElementChild.remove();
    if (follow) this.#toEnd();
    else this.#newer.hidden = false;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#newer.hidden = true;
  }
}
