// How pages speak with the service: JSON in and out, every failure one of two errors.

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
    listeners.reached(false);
    throw new Unreachable();
  });
  listeners.reached(true);
  if (found.ok) return found;
  throw await refused(found);
}

async function refused(found: Response): Promise<Problem> {
  const told = (await found.json().catch(() => ({}))) as Record<string, unknown>;
  const problem = new Problem(found.status, String(told.code ?? ""), String(told.error ?? found.statusText), told);
  if (found.status === 401 && problem.code !== "wrong_password") listeners.loggedOut();
  return problem;
}

function patience(given: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(PATIENCE);
  return given ? AbortSignal.any([given, limit]) : limit;
}
