// The page's parts, each in a file of its own, brought together.
import { startChat } from "./chat.js";
import { startGauge } from "./gauge.js";
import { setLimit, startUpload } from "./upload.js";
import { sendDrop } from "./works.js";

startChat({ onMessage: sendDrop });
startUpload({ onDone: sendDrop });
startGauge({ onFigures: (figures) => setLimit(figures.max_upload_bytes) });
