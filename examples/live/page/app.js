// The page's parts, each in a file of its own, brought together.
import { startChat } from "./chat.js";
import { startGauge } from "./gauge.js";
import { startUpload } from "./upload.js";
import { sendDrop } from "./works.js";

startChat({ onMessage: sendDrop });
startUpload({ onDone: sendDrop });
startGauge();
