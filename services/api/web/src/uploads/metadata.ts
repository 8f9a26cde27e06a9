// How long videos are, as far as this browser can tell; one at a time, since each opens a decoder.

import type { Row } from "./draft";

const PATIENCE = 5_000;
let last: Promise<void> = Promise.resolve();

export function askSeconds(row: Row): void {
  last = last.then(async () => {
    if (row.file) row.seconds.value = await secondsOf(row.file);
  });
}

function secondsOf(file: File): Promise<number | null> {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  video.preload = "metadata";
  return new Promise<number | null>((resolve) => {
    const give = () => resolve(Number.isFinite(video.duration) ? video.duration : null);
    video.onloadedmetadata = give;
    video.onerror = () => resolve(null);
    setTimeout(() => resolve(null), PATIENCE);
    video.src = url;
  }).finally(() => {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  });
}
