// The time that is shown, once a second while somebody looks.

import { signal } from "@preact/signals";

export const now = signal(Date.now());

function tick(): void {
  if (!document.hidden) now.value = Date.now();
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
