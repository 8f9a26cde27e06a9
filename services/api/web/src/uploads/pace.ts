// How fast bytes go, as it was over the last seconds.

const WINDOW = 8_000;
const APART = 250;

export class Pace {
  #marks: { at: number; bytes: number }[] = [];

  /** What was before, a pause for one, counts no more. */
  restart(): void {
    this.#marks = [];
  }

  note(at: number, bytes: number): void {
    const last = this.#marks.at(-1);
    if (last && bytes < last.bytes)
      this.#marks = []; // it began anew, or went back to what was stored
    else if (last && at - last.at < APART) return;
    this.#marks.push({ at, bytes });
    while (at - (this.#marks[1]?.at ?? at) > WINDOW) this.#marks.shift();
  }

  /** In bytes a second; null while that cannot be said. */
  speed(now: number): number | null {
    const [first] = this.#marks;
    const last = this.#marks.at(-1);
    if (!first || !last || last.at - first.at < 2 * APART) return null;
    return ((last.bytes - first.bytes) * 1000) / (Math.max(last.at, now - WINDOW) - first.at);
  }
}
