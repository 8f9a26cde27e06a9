// Tells that a job ended, on this device, when somebody asked for that: as a notification while the page is in the
// background, as a notice in it otherwise. Where events are blocked, it is found out by asking.

import { effect, signal } from "@preact/signals";
import { address, call } from "./api";
import { named } from "./jobs/asking";
import { ACTIVE, summaryName } from "./jobs/states";
import { awake, type LiveEvent, listen } from "./live";
import { say } from "./parts/notice";
import { go, href, place } from "./router";
import type { Summary } from "./shapes";
import { words } from "./words";

export type Bell = "on" | "off" | "denied" | "absent";

const KEPT = "retake.bell";
const TOGETHER = 500;
const MOST = 3;
const MOST_WATCHED = 200;
const told = words.notify;

export const bell = signal<Bell>(found());

let ended = new Set<string>();
let watched = new Set<string>();
let soon: ReturnType<typeof setTimeout> | undefined;

function found(): Bell {
  if (!("Notification" in globalThis) || !("serviceWorker" in navigator)) return "absent";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && localStorage.getItem(KEPT) === "on" ? "on" : "off";
}

/** Nobody was asked yet. */
export function mayOffer(): boolean {
  return bell.value === "off" && Notification.permission === "default";
}

/** Called when somebody pressed the bell: only then may a browser be asked. */
export async function ring(): Promise<void> {
  if (bell.peek() === "on") {
    localStorage.removeItem(KEPT);
    bell.value = "off";
    say(told.nowOff);
    return;
  }
  const answer = await Notification.requestPermission();
  if (answer !== "granted") {
    bell.value = answer === "denied" ? "denied" : "off";
    if (answer === "denied") say(told.denied, "plain");
    return;
  }
  localStorage.setItem(KEPT, "on");
  bell.value = "on";
  say(told.nowOn);
}

export function startNotifying(): void {
  if (bell.peek() === "absent") return;
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ open?: string }>) => {
    if (data.open !== undefined) go(data.open);
  });
  let deaf: (() => void) | undefined;
  effect(() => {
    deaf?.();
    deaf = undefined;
    awake.value = bell.value === "on";
    if (bell.value !== "on") return;
    void navigator.serviceWorker.register(address("sw.js"));
    deaf = listen({ event: hear, anew: () => void look() });
  });
}

function hear({ kind, jobId, status }: LiveEvent): void {
  if (kind !== "job") return;
  if (status === "completed" || status === "failed") happened([jobId]);
  else if (status !== "expired" && status !== "cancelled") watched.add(jobId);
  else watched.delete(jobId);
}

/** What was under way and is not any more has ended meanwhile. */
async function look(): Promise<void> {
  const now = await call<Summary[]>("GET", `api/jobs?status=${ACTIVE.join()}&limit=${MOST_WATCHED}`).catch(() => null);
  if (!now) return; // the page says that nobody answers; when somebody does, this is asked again
  const active = new Set(now.map((job) => job.id));
  happened([...watched].filter((id) => !active.has(id)));
  watched = active;
}

function happened(ids: readonly string[]): void {
  for (const id of ids) ended.add(id);
  if (ended.size && soon === undefined) soon = setTimeout(() => void tell(), TOGETHER);
}

async function tell(): Promise<void> {
  soon = undefined;
  const ids = [...ended];
  ended = new Set();
  const found = await named(ids).catch(() => null);
  if (!found) {
    for (const id of ids) watched.add(id); // and looked at again when the service is back
    return;
  }
  for (const id of ids) watched.delete(id);
  const jobs = found.filter((job) => job.status in told.ended);
  if (jobs.length > MOST) await show("", told.many(jobs.length), told.manyText, "many");
  else for (const job of jobs) await show(`jobs/${job.id}`, title(job), text(job), job.id);
}

const title = (job: Summary) => `${summaryName(job)} ${told.ended[job.status]}`;
const text = (job: Summary) =>
  job.completedVariations ? told.takes(job.completedVariations, job.failedVariations) : told.nothing;

async function show(to: string, heading: string, body: string, tag: string): Promise<void> {
  if (document.visibilityState === "visible" && document.hasFocus()) {
    if (!isSeen(to)) say(`${heading}. ${body}`);
    return;
  }
  const registration = await navigator.serviceWorker.ready;
  await registration.showNotification(heading, { body, tag, icon: address("icon.svg"), data: { to, url: href(to) } });
}

/** The list shows it, and so does its own page. */
function isSeen(to: string): boolean {
  const at = place.peek();
  return at.page === "jobs" || (at.page === "job" && to === `jobs/${at.id}`);
}
