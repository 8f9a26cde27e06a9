// What one may ask for here (GET /api/options): asked once.

import { signal } from "@preact/signals";
import { call } from "./api";
import type { Offers } from "./shapes";

export const offers = signal<Offers | null>(null);

let asked: Promise<Offers> | null = null;

/** Throws as `call` does; whoever comes after that asks anew. */
export function askOffers(): Promise<Offers> {
  asked ??= call<Offers>("GET", "api/options").then(
    (told) => {
      offers.value = told;
      return told;
    },
    (error: unknown) => {
      asked = null;
      throw error;
    },
  );
  return asked;
}
