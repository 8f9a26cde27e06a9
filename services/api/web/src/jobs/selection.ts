// Which of the jobs are selected.

import { signal } from "@preact/signals";

export class Selection {
  readonly ids = signal<ReadonlySet<string>>(new Set());

  has(id: string): boolean {
    return this.ids.value.has(id);
  }

  toggle(id: string): void {
    const next = new Set(this.ids.peek());
    if (!next.delete(id)) next.add(id);
    this.ids.value = next;
  }

  set(ids: Iterable<string>): void {
    this.ids.value = new Set(ids);
  }
}
