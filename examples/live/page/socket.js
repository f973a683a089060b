// A WebSocket that comes back: after a loss it waits half a second, then twice as long each
// time, up to fifteen, never quite the same so that windows do not all return at once.

const FIRST = 500; // milliseconds
const LONGEST = 15000;
const STEADY = 5000; // a connection that holds this long starts the waits afresh

export class Line {
  #handlers;
  #socket = null;
  #timer = null;
  #steady = null;
  #wait = FIRST;

  /** Handlers: opened(), received(message), lost(milliseconds until the next try), trying(). */
  constructor(handlers) {
    this.#handlers = handlers;
    addEventListener("online", () => this.retry());
    addEventListener("offline", () => this.#drop());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.retry());
    this.#connect();
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Send a message; false when there is no connection. */
  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Try now, if there is no connection. */
  retry() {
    if (this.#socket === null) this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#handlers.trying();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws`);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#steady = setTimeout(() => { this.#wait = FIRST; }, STEADY);
      this.#handlers.opened();
    });
    socket.addEventListener("message", (event) => {
      if (this.#socket === socket) this.#handlers.received(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (this.#socket === socket) this.#lost();
    });
  }

  // Without a network the connection is lost, though the socket would not know for minutes.
  #drop() {
    const socket = this.#socket;
    if (socket === null) return;
    this.#lost();
    socket.close();
  }

  #lost() {
    clearTimeout(this.#steady);
    this.#socket = null;
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST);
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#handlers.lost(wait);
  }
}
