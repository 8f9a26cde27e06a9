// Events as lines for people: takes of a video that came one after the other are one line.

import type { Happened } from "../shapes";
import { words } from "../words";

export interface Line {
  id: number;
  at: string;
  /** What stands before the name of the video that it is about. */
  before: string;
  video: string;
  text: string;
}

const say = words.job.history;

interface Data {
  status?: string;
  fileId?: string;
  index?: number;
  wish?: string;
  because?: string;
  kept?: boolean;
}

export function lines(events: readonly Happened[], names: ReadonlyMap<string, string>): Line[] {
  const told: Line[] = [];
  for (let at = 0; at < events.length; ) {
    const event = events[at] as Happened;
    const together = event.kind === "variation" ? alike(events, at) : [event];
    const file = (event.data as Data).fileId;
    const video = file === undefined ? "" : (names.get(file) ?? say.video);
    const before = event.kind === "variation" ? which(together) : "";
    told.push({ id: event.id, at: event.at, before, video, text: sentence(event) });
    at += together.length;
  }
  return told;
}

function alike(events: readonly Happened[], from: number): Happened[] {
  const { fileId, status } = events[from]?.data as Data;
  const found: Happened[] = [];
  for (const event of events.slice(from)) {
    const data = event.data as Data;
    if (event.kind !== "variation" || data.fileId !== fileId || data.status !== status) break;
    found.push(event);
  }
  return found;
}

function which(events: readonly Happened[]): string {
  const indices = events.map((event) => (event.data as Data).index ?? 0).sort((one, other) => one - other);
  return say.some(ranges(indices), indices.length);
}

/** 1, 2, 3, 5 are "1–3, 5". */
function ranges(indices: readonly number[]): string {
  const found: [number, number][] = [];
  for (const index of indices) {
    const last = found.at(-1);
    if (last && index <= last[1] + 1) last[1] = index;
    else found.push([index, index]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

function sentence({ kind, data }: Happened): string {
  const { status = "", wish = "", because = "", kept } = data as Data;
  if (kind === "job") return say.job[status] ?? status;
  if (kind === "variation") return say.takes[status] ?? status;
  if (kind === "video") return say.files[status] ?? status;
  if (kind === "wish") return wish === "expire" ? (say.wentAway[because] ?? because) : (say.wishes[wish] ?? wish);
  if (kind === "kept") return kept ? say.kept : say.letGo;
  return kind === "lost" ? say.lost : kind;
}
