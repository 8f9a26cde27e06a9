// Which states there are of jobs, as the page groups them.

import type { Job, State, Summary } from "../shapes";
import { words } from "../words";

export const ACTIVE: readonly State[] = ["queued", "processing", "paused", "cancelling"];
export const FILTERS = ["all", "active", "completed", "failed", "cancelled", "expired"] as const;
export type FilterName = (typeof FILTERS)[number];

export interface Filter {
  status: FilterName;
  words: string;
}

/** As the address of the page has it; what it says and is none shows all. */
export function readFilter(query: URLSearchParams): Filter {
  const status = FILTERS.find((one) => one === query.get("status")) ?? "all";
  return { status, words: query.get("q") ?? "" };
}

/** The same as an address below the page. */
export function filterAddress({ status, words: q }: Filter): string {
  const query = new URLSearchParams();
  if (status !== "all") query.set("status", status);
  if (q) query.set("q", q);
  return query.size ? `?${query}` : "";
}

/** What the API is asked for. */
export function asked({ status, words: q }: Filter): URLSearchParams {
  const query = new URLSearchParams();
  if (status === "active") query.set("status", ACTIVE.join());
  else if (status !== "all") query.set("status", status);
  if (q) query.set("q", q);
  return query;
}

export const underway = (state: State) => ACTIVE.includes(state);

/** A job is called as its person called it, or like its videos. */
export function nameOf(name: string | null, files: readonly string[], videos: number): string {
  return name || words.jobs.named(files[0] ?? "", videos);
}

export const summaryName = (job: Summary) => nameOf(job.name, job.fileNames, job.totalVideos);
export const jobName = (job: Job) =>
  nameOf(
    job.name,
    job.files.map((file) => file.name),
    job.totalVideos,
  );
