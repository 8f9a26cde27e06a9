// Which uploads run: a few at once, in order. What stops one is told in a sentence, and where that makes sense it goes on
// by itself: when the network is back, somebody has logged in again, or after a while.

import { effect } from "@preact/signals";
import { answer, Problem } from "../api";
import { reach } from "../online";
import { session } from "../session";
import { words } from "../words";
import { bytesSent, dropFile, pace, type Row, rows, type Stage, saveNow } from "./draft";
import { FileGone, type Trouble, TUS, transfer } from "./transfer";

const AT_ONCE = 3;
/** Seconds before it is tried again; after the last, a person must ask for it. */
const WAITS = [1, 2, 4, 8, 15, 30, 30, 30];

/** How often it is kept how far uploads are, for those whose files must be chosen again. */
const NOTED = 1_000;

let noted = 0;
const stops = new Map<string, () => void>();
const tries = new Map<string, number>();
const timers = new Map<string, ReturnType<typeof setTimeout>>();

export function start(): void {
  effect(() => {
    if (ready()) for (const row of rows.peek()) if (row.stage.peek() === "waiting") queue(row);
  });
  goOn();
  effect(() => {
    if (!ready()) return;
    const going = rows.value.filter((row) => row.stage.value === "going").length;
    const next = rows.value.filter((row) => row.stage.value === "queued").slice(0, AT_ONCE - going);
    for (const row of next) send(row);
  });
}

/** What a reload cut off a moment ago may still be on its way into storage: asked too early, it would be sent again. */
function goOn(): void {
  for (const row of rows.peek()) if (row.stage.peek() === "queued" && row.url) again(row, words.uploads.looking);
}

function ready(): boolean {
  return session.value === "in" && reach.value === "online";
}

function send(row: Row): void {
  if (!row.file) {
    become(row, "missing");
    return;
  }
  row.pace.restart();
  become(row, "going");
  stops.set(
    row.key,
    transfer(row.file, row.name, row.url, {
      began: (url) => {
        if (row.url === url) return;
        row.url = url;
        void saveNow();
      },
      moved: (sent) => moved(row, sent),
      done: () => done(row),
      failed: (trouble) => failed(row, trouble),
    }),
  );
}

function moved(row: Row, sent: number): void {
  if (sent > row.sent.peek()) tries.delete(row.key);
  row.sent.value = sent;
  row.pace.note(Date.now(), sent);
  pace.note(Date.now(), bytesSent.peek());
  if (Date.now() - noted > NOTED) {
    noted = Date.now();
    void saveNow();
  }
}

function done(row: Row): void {
  stops.delete(row.key);
  row.sent.value = row.size;
  become(row, "done");
  void dropFile(row);
}

function failed(row: Row, trouble: Trouble): void {
  stops.delete(row.key);
  const say = words.uploads;
  if (trouble instanceof FileGone) become(row, "missing", say.fileGone);
  else if (!(trouble instanceof Problem)) again(row, say.noNetwork);
  else if (trouble.status === 401) become(row, "waiting", say.loggedOut);
  else if ((trouble.status === 404 || trouble.status === 410) && row.url) anew(row);
  else if (trouble.status === 409) again(row, say.looking);
  else if ([408, 429].includes(trouble.status) || (trouble.status >= 500 && trouble.status !== 507))
    again(row, trouble.message, Number(trouble.more.retryAfter) || 0);
  else if (trouble.status === 415 || trouble.code === "file_too_large") become(row, "refused", trouble.message);
  else become(row, "failed", trouble.message);
}

/** After a while, longer each time; bytes that arrived in between count as a success. */
function again(row: Row, why: string, least = 0): void {
  const tried = tries.get(row.key) ?? 0;
  const wait = WAITS[tried];
  if (wait === undefined) {
    become(row, "failed", why);
    return;
  }
  tries.set(row.key, tried + 1);
  become(row, "waiting", why);
  const ring = () => {
    timers.delete(row.key);
    if (row.stage.peek() === "waiting" && ready()) queue(row);
  };
  timers.set(row.key, setTimeout(ring, Math.max(wait, least) * 1000));
}

/** What was stored is not kept any more. */
export function anew(row: Row): void {
  row.url = "";
  row.sent.value = 0;
  again(row, words.uploads.anew);
}

/** The service lacks some of what we took for uploaded. */
export function unfinished(row: Row): void {
  become(row, row.file ? "queued" : "missing");
}

/** Its upload went elsewhere; a person says whether there shall be another. */
export function lose(row: Row, why: string): void {
  row.url = "";
  row.sent.value = 0;
  become(row, "failed", why);
}

function become(row: Row, stage: Stage, why = ""): void {
  row.why.value = why;
  row.stage.value = stage;
}

/** In turn; also what a person says to one that failed or is paused. */
export function queue(row: Row): void {
  if (!["paused", "waiting", "failed"].includes(row.stage.peek())) return;
  if (row.stage.peek() === "failed") tries.delete(row.key);
  clearTimeout(timers.get(row.key));
  timers.delete(row.key);
  become(row, row.file ? "queued" : "missing");
}

export function pause(row: Row): void {
  if (!["queued", "going", "waiting"].includes(row.stage.peek())) return;
  stop(row);
  become(row, "paused");
}

/** Its bytes are given up. Where that cannot be said now, the upload expires by itself. */
export async function remove(row: Row): Promise<void> {
  stop(row);
  rows.value = rows.value.filter((one) => one !== row);
  await dropFile(row);
  if (row.url) await answer("DELETE", row.url, { headers: TUS }).catch(() => {});
}

function stop(row: Row): void {
  stops.get(row.key)?.();
  stops.delete(row.key);
  clearTimeout(timers.get(row.key));
  timers.delete(row.key);
  tries.delete(row.key);
}

/** Its bytes were chosen again. */
export function found(row: Row, file: File): void {
  row.file = file;
  if (row.url) again(row, words.uploads.looking);
  else become(row, "queued");
}
