// Uploads, for whoever shows them or has files for them. They live beside the pages: going elsewhere stops nothing.

import { effect, signal } from "@preact/signals";
import { askOffers } from "../offers";
import { failed } from "../parts/notice";
import { ask } from "../parts/question";
import { session } from "../session";
import type { Offers } from "../shapes";
import { words } from "../words";
import { clear, gatherings, keepFile, load, newRow, type Row, rows, wouldLose } from "./draft";
import { type Given, gather } from "./gather";
import { complaintOf } from "./kinds";
import { askSeconds } from "./metadata";
import { found, remove, start as startQueue } from "./queue";
import { startSubmitting } from "./submit";

export interface LeftOut {
  path: string;
  why: string;
}

/** What was not taken of what was given last, and why. */
export const leftOut = signal<LeftOut[]>([]);
let loaded: Promise<void> | null = null;

/** Once somebody is logged in, what was left of an earlier visit goes on. */
export function startUploads(): void {
  effect(() => {
    if (session.value === "in" && !loaded) void ready();
  });
  addEventListener("beforeunload", (event) => {
    if (wouldLose.peek()) event.preventDefault();
  });
  // A file that misses its place would otherwise be opened by the browser, instead of this page.
  for (const kind of ["dragover", "drop"]) {
    addEventListener(
      kind,
      (event) => (event as DragEvent).dataTransfer?.types.includes("Files") && event.preventDefault(),
    );
  }
}

function ready(): Promise<void> {
  loaded ??= load().then(() => {
    for (const row of rows.peek()) if (row.seconds.peek() === null) askSeconds(row);
    startQueue();
    startSubmitting();
  });
  return loaded;
}

/** Before somebody leaves this device to others: nothing of their videos stays on it. Whether they do. */
export async function leave(): Promise<boolean> {
  if (!rows.peek().length) return true;
  const say = words.uploads.leave;
  if (!(await ask({ title: say.title, body: say.body, yes: say.yes, danger: true }))) return false;
  await Promise.all(rows.peek().map(remove));
  await clear();
  return true;
}

/** Takes what was dropped, pasted or chosen into the job that is being put together; at `new` one sees what became of it.
 * To be called while the event lasts that brought it. */
export async function takeFiles(given: Given): Promise<void> {
  const gathering = gather(given);
  gatherings.value += 1;
  leftOut.value = [];
  try {
    const { found: files, more } = await gathering;
    const offers = await askOffers();
    await ready();
    const left: LeftOut[] = [];
    for (const { file, path } of files) {
      const why = await take(file, path, offers);
      if (why) left.push({ path, why });
    }
    if (more) left.push({ path: "", why: words.uploads.wrong.more });
    leftOut.value = left;
  } catch (error) {
    failed(error);
  } finally {
    gatherings.value -= 1;
  }
}

/** Or why not. */
async function take(file: File, path: string, offers: Offers): Promise<string> {
  const say = words.uploads.wrong;
  const why = await complaintOf(file, offers).catch(() => say.unreadable);
  if (why) return why;
  const known = rows.peek().find((row) => isSame(row, file));
  if (known?.stage.peek() === "missing") {
    found(known, file);
    void keepFile(known);
    return "";
  }
  if (known) return say.twice;
  if (rows.peek().length >= offers.uploadsMost) return say.many(offers.uploadsMost);
  const row = newRow(file, path);
  rows.value = [...rows.peek(), row];
  void keepFile(row);
  askSeconds(row);
  return "";
}

function isSame(row: Row, file: File): boolean {
  return row.name === file.name && row.size === file.size && row.modified === file.lastModified;
}
