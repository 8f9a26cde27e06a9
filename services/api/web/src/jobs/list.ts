// The jobs that are shown: read page by page, kept as they are now. Each is a signal of its own, so that a change of one
// draws one; which jobs changed is collected, and asked for together.

import { type Signal, signal } from "@preact/signals";
import { Again } from "../again";
import { connection, type LiveEvent } from "../live";
import type { Summary } from "../shapes";
import { firstPage, named, type Page, page } from "./asking";
import { type Filter, underway } from "./states";

export class JobList {
  readonly jobs = signal<readonly Signal<Summary>[]>([]);
  /** Nothing is known yet. */
  readonly begun = signal(false);
  readonly trouble = signal<unknown>(null);
  /** The address of the next page, if there is one. */
  readonly next = signal<string | null>(null);

  private readonly known = new Map<string, Signal<Summary>>();
  private readonly changed = new Set<string>();
  private readonly again = new Again(() => this.catchUp());
  private readonly ended = new AbortController();
  private fromTheTop = false;
  private reading = false;

  constructor(readonly filter: Filter) {}

  async load(): Promise<void> {
    this.trouble.value = null;
    try {
      const first = await firstPage(this.filter, this.ended.signal);
      this.take(first.jobs);
      this.next.value = first.next;
      this.begun.value = true;
    } catch (error) {
      if (!this.ended.signal.aborted) this.trouble.value = error;
    }
  }

  async more(): Promise<void> {
    const from = this.next.peek();
    if (!from || this.reading) return;
    this.reading = true;
    try {
      const found = await page(from, this.ended.signal);
      this.take(found.jobs);
      this.next.value = found.next;
    } finally {
      this.reading = false;
    }
  }

  event(event: LiveEvent): void {
    if (event.kind === "progress" && !this.known.has(event.jobId)) return;
    this.changed.add(event.jobId);
    this.again.soon();
  }

  /** Where there are no events this comes often: then what has ended is left as it is. */
  anew(): void {
    if (this.trouble.peek()) void this.load();
    if (!this.begun.peek()) return;
    const all = connection.peek() === "live" || connection.peek() === "connecting";
    for (const [id, job] of this.known) if (all || underway(job.peek().status)) this.changed.add(id);
    this.fromTheTop = true;
    this.again.soon();
  }

  stop(): void {
    this.again.stop();
    this.ended.abort();
  }

  private async catchUp(): Promise<void> {
    const ids = [...this.changed];
    const top = this.fromTheTop;
    this.changed.clear();
    this.fromTheTop = false;
    try {
      await this.askFor(ids);
      if (top) this.join(await firstPage(this.filter, this.ended.signal));
    } catch (error) {
      for (const id of ids) this.changed.add(id);
      this.fromTheTop ||= top;
      throw error;
    }
  }

  /** Those that are shown stay, whatever they become, until one looks elsewhere; others must match. */
  private async askFor(ids: readonly string[]): Promise<void> {
    const shown = ids.filter((id) => this.known.has(id));
    const others = ids.filter((id) => !this.known.has(id));
    const found = await named(shown, this.ended.signal);
    const there = new Set(found.map((job) => job.id));
    const gone = new Set(shown.filter((id) => !there.has(id)));
    for (const id of gone) this.known.delete(id);
    if (gone.size) this.jobs.value = this.jobs.peek().filter((job) => !gone.has(job.peek().id));
    this.take([
      ...found,
      ...(await named(others, this.ended.signal, this.filter)).filter((job) => this.isReached(job)),
    ]);
  }

  /** Where more came than a page holds there would be a gap: then the list begins anew. */
  private join(first: Page): void {
    if (first.next && !first.jobs.some((job) => this.known.has(job.id))) {
      this.known.clear();
      this.jobs.value = [];
      this.next.value = first.next;
    }
    this.take(first.jobs);
  }

  /** What lies below all that is shown comes when one scrolls there. */
  private isReached(job: Summary): boolean {
    const last = this.jobs.peek().at(-1)?.peek();
    return this.next.peek() === null || last === undefined || order(job, last) < 0;
  }

  private take(found: readonly Summary[]): void {
    const added: Signal<Summary>[] = [];
    for (const job of found) {
      const known = this.known.get(job.id);
      if (known) known.value = job;
      else {
        const born = signal(job);
        this.known.set(job.id, born);
        added.push(born);
      }
    }
    if (added.length) {
      this.jobs.value = [...this.jobs.peek(), ...added].sort((one, other) => order(one.peek(), other.peek()));
    }
  }
}

/** Newest first, as the API lists them. */
function order(one: Summary, other: Summary): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? 1 : -1;
  return one.id < other.id ? 1 : -1;
}
