// What the API says and takes, made of docs/openapi.json by `make generate`.

export interface AcceptedFile {
  id: string;
  name: string;
  /** In bytes. */
  size: number;
}

export interface AcceptedJob {
  jobId: string;
  status: State;
  files: AcceptedFile[];
  variationsPerVideo: number;
  totalVariations: number;
  /** Also in `Location`. */
  statusUrl: string;
}

export interface BytesByKind {
  /** Uploaded videos. */
  sources: number;
  /** Declared by uploads that are not complete. */
  arriving: number;
  /** Finished takes. */
  takes: number;
  /** Kept free for takes that are not made yet. */
  promised: number;
}

export interface CancelRequested {
  status: "cancel_requested";
  confirmToken: string;
  expiresAt: string;
  wouldLose: WouldLose;
}

export interface Cancelling {
  jobId: string;
  status: State;
  completedVariations: number;
  totalVariations: number;
}

export interface DeletedJob {
  jobId: string;
  /** expired, or cancelling while a worker still stops. */
  status: State;
}

export interface Distinct {
  /** Pairs, among the takes and with the source, that look nearly the same. */
  nearPairs: number;
  /** There are none. */
  kept: boolean;
  /** One sentence for people, when there are some. */
  note: string | null;
}

export interface EarlierFile {
  jobId: string;
  fileId: string;
}

export interface FileWithRecipes {
  id: string;
  name: string;
  /** In bytes. */
  size: number;
  status: State;
  /** From 0 to 1; only a retry lowers it. */
  progress: number;
  sha256: string | null;
  /** Its bytes are there, so there can be more takes of it. */
  sourceKept: boolean;
  /** Something of it failed or was cancelled, and may come out next time. */
  retriable: boolean;
  duration: number | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  distinct: Distinct | null;
  /** Of a picture, once there is one. */
  thumbnailUrl: string | null;
  completedVariations: number;
  failedVariations: number;
  /** One sentence for people, when something went wrong. */
  error: string | null;
  /** The same for programs, in snake_case. */
  errorCode: string | null;
  jobId: string;
  variations: VariationWithRecipe[];
}

export interface FileWithVariations {
  id: string;
  name: string;
  /** In bytes. */
  size: number;
  status: State;
  /** From 0 to 1; only a retry lowers it. */
  progress: number;
  sha256: string | null;
  /** Its bytes are there, so there can be more takes of it. */
  sourceKept: boolean;
  /** Something of it failed or was cancelled, and may come out next time. */
  retriable: boolean;
  duration: number | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  distinct: Distinct | null;
  /** Of a picture, once there is one. */
  thumbnailUrl: string | null;
  completedVariations: number;
  failedVariations: number;
  /** One sentence for people, when something went wrong. */
  error: string | null;
  /** The same for programs, in snake_case. */
  errorCode: string | null;
  variations: Variation[];
}

export interface Files {
  files: FileWithVariations[];
  page: number;
  perPage: number;
  total: number;
  pages: number;
}

export interface Happened {
  id: number;
  at: string;
  /** job, video, variation, wish, kept, lost or explained. */
  kind: string;
  /** As listeners get it. */
  data: Record<string, unknown>;
}

export interface Health {
  /** ok, or degraded. */
  status: string;
  version: string;
  /** Each part is ok or down. */
  parts: Record<string, string>;
  /** Said when one is down. */
  error?: string | null;
}

export interface Job {
  jobId: string;
  name: string | null;
  kind: string;
  status: State;
  /** What a person wants of it. */
  wish: Wish;
  totalVideos: number;
  failedVideos: number;
  variationsPerVideo: number;
  totalVariations: number;
  completedVariations: number;
  failedVariations: number;
  /** From 0 to 1; only a retry lowers it. */
  progress: number;
  /** Until it is done, as far as one can know. */
  etaSeconds: number | null;
  /** Counted from 1, while no worker has touched it. */
  queuePosition: number | null;
  seed: number;
  /** low, normal or high: its share of the workers beside other jobs. */
  priority: string;
  distinct: Distinct | null;
  files: FileWithVariations[];
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  expiresAt: string | null;
  /** Why it expired: age, space or deleted. */
  expiredBecause: string | null;
  /** It does not go for want of room; its time still runs. */
  kept: boolean;
  /** One sentence for people, when something went wrong. */
  error: string | null;
  /** The same for programs, in snake_case. */
  errorCode: string | null;
}

export interface Keep {
  keep: boolean;
}

export interface KeptJob {
  jobId: string;
  name: string | null;
  status: State;
  /** In bytes. */
  bytes: number;
  endedAt: string | null;
  expiresAt: string | null;
}

export interface Link {
  url: string;
  expiresAt: string;
}

export interface NextToGo {
  /** Null when it is another workspace's. */
  jobId: string | null;
  /** In bytes. */
  bytes: number;
  endedAt: string;
  expiresAt: string;
  why: string;
}

export interface OfferedEffect {
  name: string;
  /** As far as each parameter may go. */
  bounds: Record<string, [number, number]>;
  /** What recipes are drawn from, by strength. */
  ranges: Record<string, Record<string, [number, number]>>;
}

export interface OfferedPreset {
  name: string;
  strength: Strength;
  effects: string[];
}

export interface Offers {
  /** The kinds of video that are taken, told by their bytes. */
  types: string[];
  /** The largest video. */
  fileBytes: number;
  /** The most videos of a job that are uploaded first. */
  uploadsMost: number;
  /** Of each video. */
  variationsLeast: number;
  variationsUsual: number;
  variationsMost: number;
  /** How long takes are kept after their job ended. */
  retentionHours: number;
  /** Whether a job may name a `callbackUrl`. */
  webhooks: boolean;
  priorities: string[];
  /** The first is the usual one. */
  profiles: string[];
  presetUsual: string;
  presets: OfferedPreset[];
  effects: OfferedEffect[];
}

export type PartKind = "inspect" | "render";

export interface Problem {
  type: string;
  /** What the status means. */
  title: string;
  status: number;
  detail: string;
  /** What programs tell it by; it stays. */
  code: string;
  /** One sentence; same as detail. */
  error: string;
  /** The address; on no 404. */
  instance?: string | null;
  /** As in `X-Request-Id`; on no 404. */
  requestId?: string | null;
}

export interface Sent {
  /** Its `webhook-id`. */
  id: string;
  /** Counts the messages of the job. */
  sequence: number;
  type: string;
  /** waiting: it is tried again; refused: it must not be; given_up: a day was not enough. */
  status: "waiting" | "delivered" | "refused" | "given_up";
  attempts: number;
  /** The status of the last answer, if there was one. */
  answered: number | null;
  error: string | null;
  createdAt: string;
  /** When it is tried again. */
  nextAt: string | null;
  endedAt: string | null;
}

export interface Session {
  token: string;
  expiresAt: string;
}

export type State = "queued" | "processing" | "paused" | "cancelling" | "completed" | "failed" | "cancelled" | "expired";

export interface StorageUse {
  /** Stored, and kept free for what is under way. */
  used: number;
  /** Part of it: of what is expired, and about to go by itself. */
  going: number;
  cap: number | null;
  free: number | null;
  /** Above this, ended jobs go in turn, */
  makesRoomAbove: number | null;
  /** until no more than this stays. */
  makesRoomUntil: number | null;
  /** What the caller's workspace uses. */
  workspace: number;
  byKind: BytesByKind;
  /** The jobs that would go for want of room, in this order. */
  next: NextToGo[];
  /** The caller's jobs that would not. */
  kept: KeptJob[];
  /** So many may be kept. */
  keptMost: number;
}

export type Strength = "subtle" | "medium" | "strong";

export interface Summary {
  id: string;
  name: string | null;
  kind: string;
  status: State;
  totalVideos: number;
  totalVariations: number;
  completedVariations: number;
  failedVariations: number;
  /** From 0 to 1; only a retry lowers it. */
  progress: number;
  fileNames: string[];
  /** Of a picture, once there is one. */
  thumbnailUrl: string | null;
  createdAt: string;
  endedAt: string | null;
  expiresAt: string | null;
  /** Why it expired: age, space or deleted. */
  expiredBecause: string | null;
  /** It does not go for want of room; its time still runs. */
  kept: boolean;
}

export interface UploadBegun {
  id: string;
  /** How many bytes are stored. */
  offset: number;
  /** In bytes. */
  length: number;
  expiresAt: string;
}

export interface Variation {
  index: number;
  /** queued, processing, completed, failed or cancelled. */
  status: string;
  /** From 0 to 1; only a retry lowers it. */
  progress: number;
  size: number | null;
  duration: number | null;
  /** From its source, and the take most like it. */
  distance: Record<string, unknown> | null;
  /** Of its bytes, once it is completed. */
  url: string | null;
  thumbnailUrl: string | null;
  /** One sentence for people, when something went wrong. */
  error: string | null;
  /** The same for programs, in snake_case. */
  errorCode: string | null;
}

export interface VariationWithRecipe {
  index: number;
  /** queued, processing, completed, failed or cancelled. */
  status: string;
  /** From 0 to 1; only a retry lowers it. */
  progress: number;
  size: number | null;
  duration: number | null;
  /** From its source, and the take most like it. */
  distance: Record<string, unknown> | null;
  /** Of its bytes, once it is completed. */
  url: string | null;
  thumbnailUrl: string | null;
  /** One sentence for people, when something went wrong. */
  error: string | null;
  /** The same for programs, in snake_case. */
  errorCode: string | null;
  /** All of how it was made; the same recipe, source and engine give the same bytes again. */
  recipe: Record<string, unknown>;
  /** What it was made by, once it is completed. */
  engine: string | null;
}

export type Wish = "run" | "pause" | "cancel" | "expire";

export interface Worker {
  name: string;
  version: string;
  /** leaving: it was told to stop, and finishes what it works on; gone: it stopped; lost: nothing was heard of it lately. */
  status: "active" | "leaving" | "gone" | "lost";
  /** Parts it works on at once, at most. */
  slots: number;
  /** Parts it works on now. */
  busy: number;
  working: Working[];
  /** Seconds of takes for each second of work, lately. */
  speed: number | null;
  /** The layers that keep FFmpeg in. */
  sandbox: string[];
  /** The build of FFmpeg, by which the same recipe gives the same bytes. */
  engine: string;
  startedAt: string;
  seenAt: string;
}

export interface Working {
  kind: PartKind;
  takes: number;
  /** Null for another workspace's. */
  jobId: string | null;
  fileId: string | null;
}

export interface WouldLose {
  /** That are not finished. */
  variations: number;
  /** Of these, that a worker is rendering now. */
  inWork: number;
  /** That are finished, and stay. */
  kept: number;
}
