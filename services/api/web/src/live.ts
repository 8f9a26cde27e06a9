// What happens, while it happens: server-sent events, and asking now and then where those are blocked.

import { effect, signal } from "@preact/signals";
import { address } from "./api";
import { session } from "./session";

export interface LiveEvent {
  kind: "job" | "video" | "variation" | "wish" | "lost" | "progress";
  jobId: string;
  at: string;
  fileId?: string;
  index?: number;
  status?: string;
  [more: string]: unknown;
}

/** `anew` means: something may have been missed, look at everything again. */
export interface Listener {
  event?(event: LiveEvent): void;
  anew(): void;
}

export type Connection = "connecting" | "live" | "polling";

const KINDS = ["job", "video", "variation", "wish", "lost", "progress"] as const;
const POLL = 4_000;
const PATIENCE = 8_000;
const BLOCKED = 60_000;

export const connection = signal<Connection>("connecting");

const listeners = new Set<Listener>();
let source: EventSource | null = null;
let polling: ReturnType<typeof setInterval> | undefined;
let giveUp: ReturnType<typeof setTimeout> | undefined;
let lastId = "";

/** Returns what ends it. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function start(): void {
  effect(() => {
    if (session.value === "in") connect();
    else disconnect();
  });
  addEventListener("online", () => session.peek() === "in" && connect());
}

function connect(): void {
  disconnect();
  connection.value = "connecting";
  const opened = new EventSource(address(lastId ? `api/events?after=${lastId}` : "api/events"));
  source = opened;
  giveUp = setTimeout(poll, PATIENCE);
  for (const kind of KINDS) opened.addEventListener(kind, (message) => tell(kind, message as MessageEvent<string>));
  // Both say from where on everything is told; what came before that is looked up.
  for (const from of ["ready", "reset"]) opened.addEventListener(from, (message) => arrived(message as MessageEvent));
  opened.onopen = isLive;
  opened.onerror = () => {
    if (opened.readyState === EventSource.CLOSED) poll();
    else giveUp ??= setTimeout(poll, PATIENCE);
  };
}

function disconnect(): void {
  source?.close();
  source = null;
  clearTimeout(giveUp);
  giveUp = undefined;
  clearInterval(polling);
  polling = undefined;
}

function isLive(): void {
  clearTimeout(giveUp);
  giveUp = undefined;
  clearInterval(polling);
  polling = undefined;
  connection.value = "live";
}

function arrived(message: MessageEvent): void {
  lastId = message.lastEventId;
  anew();
}

function tell(kind: LiveEvent["kind"], message: MessageEvent<string>): void {
  if (message.lastEventId) lastId = message.lastEventId;
  const event = { kind, ...JSON.parse(message.data) } as LiveEvent;
  for (const listener of listeners) listener.event?.(event);
}

function anew(): void {
  for (const listener of listeners) listener.anew();
}

/** Asks in turns until events come through again, which is tried once a minute. */
function poll(): void {
  disconnect();
  connection.value = "polling";
  let asked = 0;
  polling = setInterval(() => {
    asked += POLL;
    if (asked >= BLOCKED) connect();
    else anew();
  }, POLL);
  anew();
}
