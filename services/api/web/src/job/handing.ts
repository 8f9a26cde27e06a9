// Results for those who have no session here: a link for an hour, and a line for a shell.

import { call } from "../api";
import type { Link } from "../shapes";

export function linkTo(job: string): Promise<Link> {
  return call<Link>("POST", `api/jobs/${job}/link`);
}

/** Goes on where it was cut off, when it is run again. */
export async function curlLine(job: string): Promise<string> {
  const { url } = await linkTo(job);
  return `curl --fail --location --continue-at - --output retake-${job.slice(0, 8)}.zip '${url}'`;
}
