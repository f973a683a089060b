// The drawing in the masthead: each message is a drop that runs down the channel and turns
// the wheel. Whoever asks for less motion gets a still drawing.
import { $ } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const MAX_DROPS = 8;
const RUN = 1800; // milliseconds down the channel
const TURN = 900; // milliseconds of a push to the wheel
const still = matchMedia("(prefers-reduced-motion: reduce)");

const course = $("course");
const length = course.getTotalLength();
let drops = [];
let turned = 0; // degrees
let pushes = []; // when the wheel was pushed
let running = false;

/** Let a drop run down the channel. */
export function sendDrop() {
  if (still.matches || document.hidden || drops.length >= MAX_DROPS) return;
  const circle = document.createElementNS(SVG, "circle");
  circle.setAttribute("r", "4.5");
  circle.setAttribute("class", "drop-dot");
  $("drops").append(circle);
  drops.push({ circle, begun: performance.now() });
  if (!running) {
    running = true;
    requestAnimationFrame(step);
  }
}

function step(now) {
  for (const drop of drops) {
    const share = Math.max(0, (now - drop.begun) / RUN);
    if (share >= 1) {
      drop.circle.remove();
      pushes.push(now);
    } else {
      // Slow on the level stretch, fast down the penstock.
      const point = course.getPointAtLength(length * (0.25 + 0.75 * share ** 1.7));
      drop.circle.setAttribute("cx", point.x);
      drop.circle.setAttribute("cy", point.y);
    }
  }
  drops = drops.filter((drop) => now - drop.begun < RUN);
  pushes = pushes.filter((begun) => now - begun < TURN);
  for (const begun of pushes) turned += 5 * (1 - (now - begun) / TURN);
  $("wheel").setAttribute("transform", `rotate(${(turned % 360).toFixed(1)} 1030 92)`);
  running = drops.length > 0 || pushes.length > 0;
  if (running) requestAnimationFrame(step);
}
