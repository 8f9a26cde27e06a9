// The time that is shown, once a second while somebody looks; and whether this device slept meanwhile.

import { signal } from "@preact/signals";

export const now = signal(Date.now());

/** Hidden pages are woken once a minute at least. */
const SLEPT = 90_000;
const woken = new Set<() => void>();
let last = Date.now();

/** Is told when there was a time in which nothing could be heard. */
export function onWaking(told: () => void): void {
  woken.add(told);
}

function tick(): void {
  const at = Date.now();
  const slept = at - last > SLEPT;
  last = at;
  if (!document.hidden) now.value = at;
  if (slept) wake();
}

function wake(): void {
  for (const told of woken) told();
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
addEventListener("pageshow", (event) => event.persisted && wake());
