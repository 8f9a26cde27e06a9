// From uploads to a job. Once it is asked for, it happens when all is uploaded, also after a reload; and it happens once:
// the request and its key are kept before they are sent, and whoever missed the answer sends the same again.

import { effect, signal } from "@preact/signals";
import { call, Problem, Unreachable } from "../api";
import { optionsOf, takesOf } from "../create/settings";
import { askOffers } from "../offers";
import { reach } from "../online";
import { say, sentence } from "../parts/notice";
import { go, place } from "../router";
import { session } from "../session";
import type { AcceptedJob } from "../shapes";
import { words } from "../words";
import { allDone, clear, type Row, randomKey, request, rows, saveNow, settings, submitted } from "./draft";
import { anew, lose, unfinished } from "./queue";

/** Why there is no job: a sentence, the fields it is about, and the job that has what was sent, if there is one. */
export interface Complaint {
  text: string;
  code: string;
  fields: Record<string, string>;
  jobId: string | null;
}

export const complaint = signal<Complaint | null>(null);
/** What is waited for before it is sent again. */
export const delayed = signal("");

const WAITS = [2, 4, 8, 15, 30];
const sending = signal(false);
let tried = 0;

export function startSubmitting(): void {
  effect(() => {
    const due = submitted.value && allDone.value && session.value === "in" && reach.value === "online";
    if (due && !sending.value) void send();
  });
}

export function submit(): void {
  complaint.value = null;
  delayed.value = "";
  tried = 0;
  submitted.value = true;
}

/** Not yet. What was sent already may still become a job; then its answer is waited for. */
export function takeBack(): void {
  if (!request.peek()) submitted.value = false;
}

async function send(): Promise<void> {
  sending.value = true;
  try {
    const asked = request.peek() ?? { key: randomKey(), body: await bodyOf(rows.peek()) };
    request.value = asked;
    await saveNow();
    const headers = { "Idempotency-Key": asked.key };
    const job = await call<AcceptedJob>("POST", "api/jobs", { body: asked.body, headers });
    delayed.value = "";
    await clear();
    arrived(job);
  } catch (error) {
    await refused(error);
  } finally {
    sending.value = false;
  }
}

/** Only now it is safe to close the tab. Who looks at something else meanwhile is not taken away from it. */
export function arrived(job: AcceptedJob): void {
  say(words.create.accepted(job.totalVariations));
  if (place.peek().page === "create") go(`jobs/${job.jobId}`);
}

async function bodyOf(uploaded: Row[]): Promise<unknown> {
  const offers = await askOffers();
  return {
    uploads: uploaded.map((row) => idOf(row.url)),
    variations: takesOf(settings.peek(), offers),
    options: optionsOf(settings.peek(), offers),
  };
}

function idOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

async function refused(error: unknown): Promise<void> {
  if (error instanceof Problem && error.status === 401) return; // somebody logs in, and it goes on
  if (isForNow(error)) return later(error);
  request.value = null; // it made no job
  const upload = error instanceof Problem ? error.more.upload : null;
  const row = rows.peek().find((one) => idOf(one.url) === upload);
  const code = error instanceof Problem ? error.code : "";
  if (row && code === "upload_gone") anew(row);
  else if (row && code === "upload_unfinished") unfinished(row);
  else {
    if (row && code === "upload_used") lose(row, sentence(error));
    submitted.value = false;
    complaint.value = complaintOf(error);
  }
}

/** The same request may well be taken in a while. */
function isForNow(error: unknown): boolean {
  if (!(error instanceof Problem)) return error instanceof Unreachable;
  const { status, code } = error;
  return status === 408 || status === 429 || (status >= 500 && status !== 507) || code === "request_in_flight";
}

async function later(error: unknown): Promise<void> {
  const wait = WAITS[Math.min(tried, WAITS.length - 1)] ?? 0;
  tried += 1;
  let told = 0;
  if (error instanceof Problem) {
    told = Number(error.more.retryAfter) || 0;
    delayed.value = error.message;
    if (error.status === 429) request.value = null; // it made no job for sure, and may be taken back
  } else {
    delayed.value = words.uploads.noNetwork;
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(wait, told) * 1000));
}

export function complaintOf(error: unknown): Complaint {
  const more = (error instanceof Problem ? error.more : {}) as {
    errors?: { where: string; what: string }[];
    suggestion?: string;
    jobId?: string;
  };
  return {
    code: error instanceof Problem ? error.code : "",
    text: [sentence(error), more.suggestion].filter(Boolean).join(" "),
    fields: Object.fromEntries((more.errors ?? []).map((one) => [one.where, one.what])),
    jobId: more.jobId ?? null,
  };
}
