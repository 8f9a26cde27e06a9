// One job as it is now. Progress is shown as it is told; what else changed is asked for, at most once a second. Each
// video is a signal of its own, so that a change of one draws one.

import { type Signal, signal } from "@preact/signals";
import { Again } from "../again";
import { call, Problem } from "../api";
import type { LiveEvent } from "../live";
import type { Files, FileWithRecipes, FileWithVariations, Job } from "../shapes";

/** So many videos come with a job; of more there are pages. */
export const PAGE = 200;

export interface Recipe {
  seed: number;
  preset?: string;
  effects: { name: string; params: Record<string, number> }[];
  output?: { profile?: string };
}

interface Tick {
  fileId: string;
  progress: number;
  variations: { index: number; frames: number; due: number }[];
}

export class LiveJob {
  readonly job = signal<Job | null>(null);
  readonly trouble = signal<unknown>(null);
  /** It was never there, or was deleted. */
  readonly gone = signal(false);
  readonly files = signal<readonly Signal<FileWithVariations>[]>([]);
  readonly page = signal(1);

  private readonly known = new Map<string, Signal<FileWithVariations>>();
  private readonly recipes = new Map<string, Signal<FileWithRecipes | null>>();
  private readonly ended = new AbortController();
  private readonly again = new Again(() => this.ask());

  constructor(readonly id: string) {}

  async load(): Promise<void> {
    this.trouble.value = null;
    try {
      await this.ask();
    } catch (error) {
      if (!this.ended.signal.aborted) this.trouble.value = error;
    }
  }

  async turnTo(page: number): Promise<void> {
    this.page.value = page;
    await this.ask();
  }

  event(event: LiveEvent): void {
    if (event.jobId !== this.id) return;
    if (event.kind === "progress") this.tick(event as unknown as Tick);
    else this.again.soon();
  }

  anew(): void {
    if (this.trouble.peek()) void this.load();
    else if (!this.gone.peek()) this.again.soon();
  }

  stop(): void {
    this.again.stop();
    this.ended.abort();
  }

  /** Asked for when somebody looks at the takes of a video; what was planned stays as it is. */
  recipesOf(file: string): Signal<FileWithRecipes | null> {
    const known = this.recipes.get(file) ?? signal<FileWithRecipes | null>(null);
    this.recipes.set(file, known);
    return known;
  }

  async askRecipes(file: string): Promise<void> {
    this.recipesOf(file).value = await this.get<FileWithRecipes>(`/files/${file}`);
  }

  private get<T>(below: string): Promise<T> {
    const id = encodeURIComponent(this.id);
    return call<T>("GET", `api/jobs/${id}${below}`, { signal: this.ended.signal });
  }

  private async ask(): Promise<void> {
    const page = this.page.peek();
    try {
      const job = await this.get<Job>("");
      const files = page === 1 ? job.files : (await this.get<Files>(`/files?page=${page}&per_page=${PAGE}`)).files;
      if (page !== this.page.peek()) return;
      this.take(files);
      this.job.value = job;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 404)) throw error;
      this.gone.value = true;
    }
  }

  private take(files: readonly FileWithVariations[]): void {
    const before = this.files.peek();
    const now = files.map((file) => {
      const known = this.known.get(file.id);
      if (!known) {
        const born = signal(file);
        this.known.set(file.id, born);
        return born;
      }
      if (JSON.stringify(known.peek()) !== JSON.stringify(file)) known.value = file;
      return known;
    });
    if (now.length !== before.length || now.some((one, place) => one !== before[place])) this.files.value = now;
  }

  private tick({ fileId, progress, variations }: Tick): void {
    const known = this.known.get(fileId);
    const job = this.job.peek();
    if (!known || !job) {
      this.again.soon();
      return;
    }
    const file = known.peek();
    const frames = new Map(variations.map((one) => [one.index, one.due ? Math.min(0.99, one.frames / one.due) : 0]));
    known.value = {
      ...file,
      progress: Math.max(file.progress, progress),
      variations: file.variations.map((take) => {
        const share = frames.get(take.index);
        if (share === undefined || take.status === "completed") return take;
        return { ...take, status: "processing", progress: Math.max(take.progress, share) };
      }),
    };
    const gained = Math.max(0, known.peek().progress - file.progress) / job.totalVideos;
    this.job.value = { ...job, progress: Math.min(0.999, job.progress + gained) };
  }
}
