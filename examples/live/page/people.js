// Who is there, and the colour and initials by which a person is known.
import { $, make } from "./dom.js";

const SHOWN = 5;

/** Give a person's badge: initials on a colour that follows from the name. */
export function makeBadge(name) {
  const badge = make("span", "badge", initials(name));
  badge.style.setProperty("--hue", String(hueOf(name)));
  badge.setAttribute("aria-hidden", "true");
  return badge;
}

export function showPeople(people, you) {
  const list = $("people");
  list.replaceChildren();
  const ordered = [...people].sort((a, b) => (b.id === you) - (a.id === you));
  for (const person of ordered.slice(0, SHOWN)) {
    const item = make("li");
    item.title = person.id === you ? `${person.name} (you)` : person.name;
    item.append(makeBadge(person.name));
    list.append(item);
  }
  if (people.length > SHOWN) list.append(make("li", "more", `+${people.length - SHOWN}`));
  const text = tell(people.length);
  if ($("online").textContent !== text) $("online").textContent = text;
  $("online").title = ordered.map((person) => person.name).join(", ");
}

function tell(number) {
  if (number === 0) return "Not connected";
  return number === 1 ? "Only you" : `${number} people here`;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0]).join("").toUpperCase();
}

function hueOf(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  // The golden angle keeps the hues of neighbouring numbers apart.
  return Math.round(sum * 137.508) % 360;
}
