// One upload on its way: tus 1.0, as far as we need it. It tries nothing again: the queue knows more about when.

import { address, Problem, refused, Unreachable, unreachable } from "../api";
import { words } from "../words";

export type Trouble = Problem | Unreachable | FileGone;

export class FileGone extends Error {
  /** The device does not give its bytes any more: it was changed, moved or deleted. */
}

interface Told {
  began(url: string): void;
  moved(sent: number): void;
  done(): void;
  failed(trouble: Trouble): void;
}

export const TUS = { "Tus-Resumable": "1.0.0" };

/** What is sent at once. An upload that is cut off loses less than that. */
const CHUNK = 8 * 2 ** 20;
/** So small that it goes with its beginning, in one request. */
const SMALL = 2 ** 20;
/** Without a byte moving, nor an answer, the way is taken for lost. */
const PATIENCE = 60_000;

/** To where it was begun before, or anew without `url`. Returns what stops it. */
export function transfer(file: File, name: string, url: string, told: Told): () => void {
  const stopped = new AbortController();
  send(file, name, url, told, stopped.signal).catch(async (error: Trouble) => {
    const trouble = stopped.signal.aborted ? error : await troubleOf(error, file);
    if (!stopped.signal.aborted) told.failed(trouble);
  });
  return () => stopped.abort();
}

async function send(file: File, name: string, url: string, told: Told, signal: AbortSignal): Promise<void> {
  let sent = 0;
  const ask = (method: string, headers: Record<string, string>, body: Blob | null) =>
    request(method, url, headers, body, (more) => told.moved(sent + more), signal);
  if (url) {
    sent = offsetOf(await ask("HEAD", {}, null));
  } else {
    const about = { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${base64(name)}` };
    url = address("api/uploads");
    const begun = await ask("POST", about, file.size <= SMALL ? file : null);
    url = new URL(begun.getResponseHeader("Location") ?? "", url).href;
    told.began(url);
    sent = offsetOf(begun);
  }
  while (sent < file.size) {
    told.moved(sent);
    const next = offsetOf(await ask("PATCH", { "Upload-Offset": String(sent) }, file.slice(sent, sent + CHUNK)));
    if (next <= sent) throw new Problem(409, "offset_moved", words.uploads.looking);
    sent = next;
  }
  told.done();
}

/** Not by fetch, which does not tell how far a body is. */
function request(
  method: string,
  url: string,
  headers: Record<string, string>,
  body: Blob | null,
  moved: (more: number) => void,
  signal: AbortSignal,
): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    let patience: ReturnType<typeof setTimeout>;
    const wait = () => {
      clearTimeout(patience);
      patience = setTimeout(() => asked.abort(), PATIENCE);
    };
    asked.open(method, url);
    const type = body && { "Content-Type": "application/offset+octet-stream" };
    for (const [key, value] of Object.entries({ ...TUS, ...headers, ...type })) asked.setRequestHeader(key, value);
    asked.upload.onprogress = (event) => {
      wait();
      moved(event.loaded);
    };
    asked.onload = () => (asked.status < 300 ? resolve(asked) : reject(refusalOf(asked)));
    asked.onerror = () => reject(new Unreachable());
    asked.onabort = asked.onerror;
    asked.onloadend = () => clearTimeout(patience);
    signal.addEventListener("abort", () => asked.abort());
    signal.throwIfAborted();
    wait();
    asked.send(body);
  });
}

function refusalOf(answer: XMLHttpRequest): Problem {
  return refused(answer.status, answer.statusText, answer.responseText, answer.getResponseHeader("Retry-After"));
}

function offsetOf(answer: XMLHttpRequest): number {
  return Number(answer.getResponseHeader("Upload-Offset"));
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** A way that was lost looks like a file that cannot be read. */
async function troubleOf(error: Trouble, file: File): Promise<Trouble> {
  if (!(error instanceof Unreachable)) return error;
  const readable = await file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
  return readable ? unreachable() : new FileGone();
}
