// Summaries of jobs from the API.

import { answer, call } from "../api";
import type { Summary } from "../shapes";
import { asked, type Filter } from "./states";

const PAGE = 50;
/** So many ids fit into an address, whatever stands before the service. */
const NAMED = 100;

export interface Page {
  jobs: Summary[];
  /** The address of the next one. */
  next: string | null;
}

export function firstPage(filter: Filter, signal: AbortSignal): Promise<Page> {
  const query = asked(filter);
  query.set("limit", String(PAGE));
  return page(`api/jobs?${query}`, signal);
}

export async function page(address: string, signal: AbortSignal): Promise<Page> {
  const found = await answer("GET", address, { signal });
  const next = /<([^>]*)>; *rel="next"/.exec(found.headers.get("Link") ?? "")?.[1] ?? null;
  return { jobs: (await found.json()) as Summary[], next };
}

/** Those of these jobs that are there (and match). */
export async function named(ids: readonly string[], signal?: AbortSignal, filter?: Filter): Promise<Summary[]> {
  const found: Summary[] = [];
  for (let start = 0; start < ids.length; start += NAMED) {
    const query = filter ? asked(filter) : new URLSearchParams();
    query.set("id", ids.slice(start, start + NAMED).join());
    query.set("limit", String(NAMED));
    found.push(...(await call<Summary[]>("GET", `api/jobs?${query}`, signal ? { signal } : {})));
  }
  return found;
}
