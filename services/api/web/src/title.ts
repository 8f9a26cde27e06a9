// What the tab says: the page, and before it how far work is, so that it can be seen from another tab.

import { effect, signal } from "@preact/signals";
import { percent } from "./format";
import { words } from "./words";

export const title = signal("");
/** From 0 to 1 while something is under way. */
export const underWay = signal<number | null>(null);

effect(() => {
  const far = underWay.value === null ? "" : `${percent(underWay.value)} · `;
  document.title = `${far}${title.value ? `${title.value} · ` : ""}${words.name}`;
});
