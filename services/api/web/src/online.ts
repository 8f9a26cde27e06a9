// Whether the network and the service are there. A call that fails shows it at once; health is asked until it works.

import { signal } from "@preact/signals";
import { address, onCalls } from "./api";

export type Reach = "online" | "no-network" | "no-service";

export const reach = signal<Reach>(navigator.onLine ? "online" : "no-network");

const AGAIN = 3_000;
let asking: ReturnType<typeof setTimeout> | undefined;

onCalls({
  reached: (answered) => {
    if (answered) isBack();
    else away();
  },
});
addEventListener("offline", away);
addEventListener("online", ask);

function away(): void {
  reach.value = navigator.onLine ? "no-service" : "no-network";
  clearTimeout(asking);
  asking = setTimeout(ask, AGAIN);
}

function isBack(): void {
  clearTimeout(asking);
  reach.value = "online";
}

async function ask(): Promise<void> {
  const found = await fetch(address("livez"), { cache: "no-store" }).catch(() => null);
  if (found?.ok) isBack();
  else away();
}
