// Which takes are selected, and as which ZIPs they come: one ZIP holds the same numbers of some videos.

import { signal } from "@preact/signals";
import { zipAddress } from "../save";

export class Picks {
  /** The numbers of the takes, by video. */
  readonly takes = signal<ReadonlyMap<string, ReadonlySet<number>>>(new Map());

  has(file: string, index: number): boolean {
    return this.takes.value.get(file)?.has(index) ?? false;
  }

  get count(): number {
    return [...this.takes.value.values()].reduce((sum, some) => sum + some.size, 0);
  }

  toggle(file: string, index: number): void {
    const some = new Set(this.takes.peek().get(file));
    if (!some.delete(index)) some.add(index);
    const next = new Map(this.takes.peek()).set(file, some);
    if (!some.size) next.delete(file);
    this.takes.value = next;
  }

  clear(): void {
    this.takes.value = new Map();
  }

  zips(job: string): string[] {
    const files = new Map<string, string[]>();
    for (const [file, some] of this.takes.value) {
      const numbers = [...some].sort((one, other) => one - other).join();
      files.set(numbers, [...(files.get(numbers) ?? []), file]);
    }
    return [...files].map(([numbers, some]) => `${zipAddress(job)}?file=${some.join()}&variation=${numbers}`);
  }
}
