// The job that is being put together here: its files, how far each is, and what is asked of takes. There is one in a tab;
// it outlives pages, reload and crash (device.ts).

import { computed, effect, type Signal, signal, untracked } from "@preact/signals";
import { type Settings, USUAL } from "../create/settings";
import { adopt, forget, forgetBytes, hold, type KeptDraft, type KeptRow, keep, keepBytes, keptBytes } from "./device";
import { Pace } from "./pace";

/** waiting: it goes on by itself; missing: its bytes must be chosen again; refused: trying again would not help. */
export type Stage = "queued" | "going" | "paused" | "waiting" | "failed" | "refused" | "missing" | "done";

export interface Row {
  readonly key: string;
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  readonly pace: Pace;
  file: File | null;
  /** Of the upload; empty while none was begun. */
  url: string;
  readonly stage: Signal<Stage>;
  /** A sentence, when there is something to say. */
  readonly why: Signal<string>;
  readonly sent: Signal<number>;
  /** How long the video is; null when that cannot be known here. */
  readonly seconds: Signal<number | null>;
  /** Whether reload finds its bytes. */
  readonly safe: Signal<boolean>;
}

export const rows = signal<Row[]>([]);
export const settings = signal<Settings>(USUAL);
/** It becomes a job as soon as all is uploaded. */
export const submitted = signal(false);
/** What may have been sent already. */
export const request = signal<KeptDraft["request"]>(null);
export const pace = new Pace();

export const bytesInAll = computed(() => rows.value.reduce((sum, row) => sum + row.size, 0));
export const bytesSent = computed(() => rows.value.reduce((sum, row) => sum + row.sent.value, 0));
/** How often files are being looked at now: there may be more to upload. */
export const gatherings = signal(0);
export const looking = computed(() => gatherings.value > 0);
export const allDone = computed(
  () => !looking.value && rows.value.length > 0 && rows.value.every((row) => row.stage.value === "done"),
);
/** From 0 to 1 while there is something to upload. */
export const share = computed(() => (allDone.value || !rows.value.length ? null : bytesSent.value / bytesInAll.value));
/** What closing the tab now would cost more than time. */
export const wouldLose = computed(
  () =>
    submitted.value || rows.value.some((row) => !row.safe.value && row.stage.value !== "done" && row.sent.value > 0),
);

let id = randomKey();
let begun = false;
let saving: Promise<unknown> = Promise.resolve();
let due = false;

/** Random, also on pages that did not come safely, where there is no randomUUID. */
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What an earlier visit left is here again; from then on, changes are kept. */
export async function load(): Promise<void> {
  const found = await adopt();
  if (found) {
    id = found.id;
    settings.value = found.settings;
    submitted.value = found.submitted;
    request.value = found.request;
    rows.value = await Promise.all(found.rows.map(rowAgain));
  } else {
    await hold(id);
  }
  begun = true;
  effect(save);
}

export function newRow(file: File, path: string): Row {
  const { name, size, lastModified: modified } = file;
  const key = randomKey();
  return blank({ key, name, path, size, modified, url: "", sent: 0, done: false, paused: false, seconds: null }, file);
}

async function rowAgain(kept: KeptRow): Promise<Row> {
  const file = kept.done ? null : ((await keptBytes(id, kept.key)) ?? null);
  const row = blank(kept, file);
  row.safe.value = file !== null;
  row.stage.value = kept.done ? "done" : !file ? "missing" : kept.paused ? "paused" : "queued";
  return row;
}

function blank(kept: KeptRow, file: File | null): Row {
  const { key, name, path, size, modified, url } = kept;
  return {
    ...{ key, name, path, size, modified, url, file },
    pace: new Pace(),
    stage: signal<Stage>("queued"),
    why: signal(""),
    sent: signal(kept.sent),
    seconds: signal(kept.seconds),
    safe: signal(false),
  };
}

/** So that a reload finds them; as far as there is room. */
export async function keepFile(row: Row): Promise<void> {
  if (row.file) row.safe.value = await keepBytes(id, row.key, row.file);
}

export function dropFile(row: Row): Promise<void> {
  return forgetBytes(id, row.key);
}

/** Nothing is left of it; the next one begins. */
export async function clear(): Promise<void> {
  const old = id;
  id = randomKey();
  rows.value = [];
  settings.value = USUAL;
  submitted.value = false;
  request.value = null;
  await hold(id);
  await saving;
  await forget(old);
}

/** How far uploads are is not worth a write each time; it is told along when something else is. */
function save(): void {
  const draft: KeptDraft = {
    id,
    at: Date.now(),
    rows: rows.value.map(keptRow),
    settings: settings.value,
    submitted: submitted.value,
    request: request.value,
  };
  untracked(() => write(draft));
}

let latest: KeptDraft | null = null;

/** One after another, and of those that wait only the last. Resolves when what is now is kept. */
function write(draft: KeptDraft): void {
  latest = draft;
  if (due) return;
  due = true;
  saving = saving.then(async () => {
    due = false;
    if (!latest || latest.id !== id) return;
    await (latest.rows.length ? keep(latest) : forget(id));
  });
}

/** Also what is no signal: the address of an upload. */
export async function saveNow(): Promise<void> {
  if (begun) save();
  await saving;
}

function keptRow(row: Row): KeptRow {
  const { key, name, path, size, modified, url } = row;
  const stage = row.stage.value;
  return {
    ...{ key, name, path, size, modified, url },
    sent: row.sent.peek(),
    done: stage === "done",
    paused: stage === "paused",
    seconds: row.seconds.value,
  };
}
