// How pages speak with the service: JSON in and out, every failure one of two errors.

import { words } from "./words";

export class Problem extends Error {
  /** The service said no; `message` is its sentence for people. */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly more: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export class Unreachable extends Error {
  /** No answer came: the network, or the service, is away. */
}

interface Request {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const PATIENCE = 30_000;
const listeners = { loggedOut: () => {}, reached: (_: boolean) => {} };

/** Who is told that the session is over, and whether the service could be reached. */
export function onCalls(told: Partial<typeof listeners>): void {
  Object.assign(listeners, told);
}

/** Of a path like `api/jobs`, below whatever prefix this page was served under. */
export function address(path: string): string {
  return new URL(path, document.baseURI).href;
}

export async function call<T>(method: string, path: string, request: Request = {}): Promise<T> {
  return (await answer(method, path, request)).json() as Promise<T>;
}

/** For answers without a body, and for those whose headers matter. */
export async function answer(method: string, path: string, request: Request = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...request.headers };
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: patience(request.signal) };
  if (request.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(request.body);
  }
  const found = await fetch(address(path), init).catch((error: unknown) => {
    if (request.signal?.aborted) throw error;
    throw unreachable();
  });
  listeners.reached(true);
  if (found.ok) return found;
  throw refused(found.status, found.statusText, await found.text().catch(() => ""), found.headers.get("Retry-After"));
}

/** No answer came, by whatever way it was asked. */
export function unreachable(): Unreachable {
  listeners.reached(false);
  return new Unreachable();
}

/** An answer that says no, by whatever way it came. */
export function refused(status: number, title: string, text: string, retryAfter: string | null): Problem {
  const told = plain(text);
  const problem = new Problem(status, String(told.code ?? ""), String(told.error ?? title) || words.failed, {
    ...told,
    retryAfter: Number(retryAfter) || null,
  });
  if (status === 401 && problem.code !== "wrong_password") listeners.loggedOut();
  return problem;
}

function plain(text: string): Record<string, unknown> {
  try {
    const told: unknown = JSON.parse(text);
    return told !== null && typeof told === "object" ? { ...told } : {};
  } catch {
    return {}; // a proxy's page, or nothing; the status says it then
  }
}

function patience(given: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(PATIENCE);
  return given ? AbortSignal.any([given, limit]) : limit;
}
