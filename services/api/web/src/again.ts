// Asks anew for what changed: once for all that came up meanwhile, with a pause between, a longer one where answers are
// slow, so that a busy service is not asked more than it can tell.

import { Unreachable } from "./api";
import { failed } from "./parts/notice";

const PAUSE = 1_000;
const SHARE = 4;

export class Again {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = false;
  private wanted = false;
  private stopped = false;
  private restedAt = 0;

  constructor(private readonly ask: () => Promise<unknown>) {}

  soon(): void {
    this.wanted = true;
    if (this.asking || this.stopped || this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.turn(), Math.max(0, this.restedAt - performance.now()));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async turn(): Promise<void> {
    this.timer = undefined;
    this.wanted = false;
    this.asking = true;
    const began = performance.now();
    try {
      await this.ask();
    } catch (error) {
      // Of a service that is away a banner tells, and when it is back everything is looked up.
      if (!this.stopped && !(error instanceof Unreachable)) failed(error);
    }
    this.asking = false;
    const ended = performance.now();
    this.restedAt = ended + Math.max(PAUSE, SHARE * (ended - began));
    if (this.wanted) this.soon();
  }
}
