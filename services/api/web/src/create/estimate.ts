// What a job would need, as far as one can know before.

import type { Worker } from "../shapes";

/** As the service does it (core/retake/store/sources.py: estimate). */
const RESULT_FACTOR = 1.1;

export function roomFor(sizes: number[], takes: number): number {
  return sizes.reduce((sum, size) => sum + Math.ceil(RESULT_FACTOR * takes * size), 0);
}

/** Seconds until all takes are made if nobody else wants any; null while a length or a speed is not known. */
export function timeFor(seconds: (number | null)[], takes: number, workers: Worker[]): number | null {
  const pace = active(workers).reduce((sum, worker) => sum + worker.slots * (worker.speed ?? 0), 0);
  if (!pace || seconds.includes(null)) return null;
  return (seconds.reduce<number>((sum, one) => sum + (one ?? 0), 0) * takes) / pace;
}

export function active(workers: Worker[]): Worker[] {
  return workers.filter((worker) => worker.status === "active");
}
