// What happens, while it happens: server-sent events, and asking now and then where those are blocked.

import { effect, signal } from "@preact/signals";
import { address } from "./api";
import { onWaking } from "./clock";
import { reach } from "./online";
import { session } from "./session";

const KINDS = ["job", "video", "variation", "wish", "kept", "lost", "progress"] as const;

export interface LiveEvent {
  kind: (typeof KINDS)[number];
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

/** Polling is for where events are blocked, resting for a tab in the background: browsers share a few connections among
 * all tabs, and those that are looked at need them. */
export type Connection = "connecting" | "live" | "polling" | "resting";

const POLL = 4_000;
const PATIENCE = 8_000;
const BLOCKED = 60_000;
const UNSEEN = 5_000;
const NOW_AND_THEN = 15_000;

export const connection = signal<Connection>("connecting");
/** Somebody wants to be told at once, although nobody looks. */
export const awake = signal(false);

const listeners = new Set<Listener>();
let source: EventSource | null = null;
let polling: ReturnType<typeof setInterval> | undefined;
let giveUp: ReturnType<typeof setTimeout> | undefined;
let unseen: ReturnType<typeof setTimeout> | undefined;
let lastId = "";

/** Returns what ends it. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function anew(): void {
  for (const listener of listeners) listener.anew();
}

export function start(): void {
  effect(() => {
    if (session.value === "in") connect();
    else stop();
  });
  // After a time without network, or asleep, a connection may be dead without knowing it.
  effect(() => {
    if (reach.value === "online") comeBack();
  });
  onWaking(comeBack);
  document.addEventListener("visibilitychange", look);
  look();
}

function look(): void {
  clearTimeout(unseen);
  if (document.hidden) unseen = setTimeout(rest, UNSEEN);
  else if (connection.peek() === "resting") comeBack();
}

function rest(): void {
  if (awake.peek() || connection.peek() === "polling" || session.peek() !== "in") return;
  close();
  connection.value = "resting";
  polling = setInterval(anew, NOW_AND_THEN);
}

function comeBack(): void {
  if (session.peek() !== "in") return;
  connect();
  anew();
}

/** Whoever is asking in turns goes on with it until events come through. */
function connect(): void {
  close();
  if (connection.peek() === "resting") stopPolling();
  if (connection.peek() !== "polling") connection.value = "connecting";
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

function close(): void {
  source?.close();
  source = null;
  clearTimeout(giveUp);
  giveUp = undefined;
}

function stopPolling(): void {
  clearInterval(polling);
  polling = undefined;
}

function stop(): void {
  close();
  stopPolling();
  connection.value = "connecting";
  lastId = "";
}

function isLive(): void {
  clearTimeout(giveUp);
  giveUp = undefined;
  stopPolling();
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

/** Asks in turns until events come through again, which is tried once a minute. */
function poll(): void {
  close();
  connection.value = "polling";
  if (polling !== undefined) return;
  let asked = 0;
  polling = setInterval(() => {
    asked += POLL;
    if (asked % BLOCKED === 0) connect();
    anew();
  }, POLL);
  anew();
}
