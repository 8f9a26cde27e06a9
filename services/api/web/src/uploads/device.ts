// What a device keeps of a draft, so that reload and crash lose nothing: what it is, and the bytes of its files as far
// as there is room. A draft belongs to the tab that holds its lock; one that no tab holds goes to whoever comes next.

import type { Settings } from "../create/settings";

export interface KeptRow {
  key: string;
  name: string;
  path: string;
  size: number;
  modified: number;
  url: string;
  sent: number;
  done: boolean;
  paused: boolean;
  seconds: number | null;
}

export interface KeptDraft {
  id: string;
  at: number;
  rows: KeptRow[];
  settings: Settings;
  submitted: boolean;
  /** A request that may have been sent: sent again, it is this one. */
  request: { key: string; body: unknown } | null;
}

const NAME = "retake";
const DRAFTS = "drafts";
const BYTES = "bytes";
const LONGEST = 24 * 3600 * 1000; // by then its uploads are gone, too
const MOST_BYTES = 4e9;
const PATIENCE = 500; // for the lock of a page that is being left

const opened: Promise<IDBDatabase | null> = open();

/** Null where a browser keeps nothing, as in some private windows. */
function open(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(DRAFTS, { keyPath: "id" });
      request.result.createObjectStore(BYTES);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
}

/** Whether it was done: a device without a database, or without room, keeps nothing. */
async function change(store: string, act: (store: IDBObjectStore) => void): Promise<boolean> {
  const database = await opened;
  if (!database) return false;
  const done = new Promise<boolean>((resolve) => {
    const transaction = database.transaction(store, "readwrite");
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () => resolve(false);
    act(transaction.objectStore(store));
  });
  return done.catch(() => false); // the browser took the database away, at somebody's wish
}

async function read<T>(store: string, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  const database = await opened;
  if (!database) return null;
  const found = new Promise<T | null>((resolve) => {
    const request = act(database.transaction(store).objectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
  return found.catch(() => null);
}

/** The newest draft that no other tab has. Those that are too old go. */
export async function adopt(): Promise<KeptDraft | null> {
  const all = (await read<KeptDraft[]>(DRAFTS, (store) => store.getAll())) ?? [];
  for (const draft of all.sort((one, other) => other.at - one.at)) {
    if (!(await hold(draft.id))) continue;
    if (Date.now() - draft.at < LONGEST) return draft;
    await forget(draft.id);
  }
  return null;
}

/** Until this tab is gone. Only pages that came safely may lock; elsewhere tabs share. */
export function hold(id: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      return new Promise(() => {});
    };
    navigator.locks
      .request(`retake.draft.${id}`, { signal: AbortSignal.timeout(PATIENCE) }, held)
      .catch(() => resolve(false));
  });
}

export function keep(draft: KeptDraft): Promise<boolean> {
  return change(DRAFTS, (store) => store.put(draft));
}

export async function forget(id: string): Promise<void> {
  await change(DRAFTS, (store) => store.delete(id));
  await change(BYTES, (store) => store.delete(IDBKeyRange.bound([id], [id, []])));
}

/** Never more than half of what the browser gives, nor than MOST_BYTES in all. */
export async function keepBytes(id: string, key: string, file: File): Promise<boolean> {
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate()) ?? {};
  if (usage + file.size > Math.min(quota / 2, MOST_BYTES)) return false;
  return change(BYTES, (store) => store.put(file, [id, key]));
}

export function keptBytes(id: string, key: string): Promise<File | null | undefined> {
  return read<File>(BYTES, (store) => store.get([id, key]));
}

export async function forgetBytes(id: string, key: string): Promise<void> {
  await change(BYTES, (store) => store.delete([id, key]));
}
