// The page's parts, each in a file of its own, brought together.
import { startChat } from "./chat.js";
import { startDownload } from "./download.js";
import { readSoon, startGauge } from "./gauge.js";
import { setLimit, startUpload } from "./upload.js";
import { sendDrop } from "./works.js";

function flow() {
  sendDrop();
  readSoon();
}

startChat({ onMessage: flow, onPeople: readSoon });
startUpload({ onDone: flow });
startDownload({ onDone: flow });
startGauge({ onFigures: (figures) => setLimit(figures.max_upload_bytes) });
