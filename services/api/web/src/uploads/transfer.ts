// One upload on its way: tus, without retries of its own, since the queue knows more about when to try again.

import { DetailedError, Upload } from "tus-js-client";
import { address, type Problem, refused, type Unreachable, unreachable } from "../api";

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

/** What is sent at once. An upload that is cut off loses less than that. */
const CHUNK = 8 * 2 ** 20;
/** So small that it goes with its beginning, in one request. */
const SMALL = 2 ** 20;

/** To where it was begun before, or anew without `url`. Returns what stops it. */
export function transfer(file: File, name: string, url: string, told: Told): () => void {
  let stopped = false;
  const upload = new Upload(file, {
    ...(url ? { uploadUrl: url } : { endpoint: address("api/uploads") }),
    metadata: { filename: name },
    chunkSize: CHUNK,
    retryDelays: null,
    uploadDataDuringCreation: file.size <= SMALL,
    storeFingerprintForResuming: false,
    onBeforeRequest: () => {
      if (stopped) throw new Error("stopped"); // before it had begun, which abort does not see
    },
    onUploadUrlAvailable: () => told.began(upload.url ?? ""),
    onProgress: (sent) => told.moved(sent),
    onSuccess: () => told.done(),
    onError: async (error) => {
      if (!stopped) told.failed(await troubleOf(error, file));
    },
  });
  upload.start();
  return () => {
    stopped = true;
    void upload.abort();
  };
}

async function troubleOf(error: Error, file: File): Promise<Trouble> {
  const answer = error instanceof DetailedError ? error.originalResponse : null;
  if (answer) {
    return refused(answer.getStatus(), "", answer.getBody(), answer.getHeader("Retry-After") ?? null);
  }
  const readable = await file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
  return readable ? unreachable() : new FileGone();
}
