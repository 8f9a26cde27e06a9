// Whether somebody is logged in. The token is in a cookie that no script can read; what the service answers tells. That
// somebody logged in here is remembered, so that those who never did are not asked about in vain.

import { signal } from "@preact/signals";
import { answer, onCalls, Problem } from "./api";

export type Session = "unknown" | "in" | "out" | "expired";

const REMEMBERED = "retake.session";

export const session = signal<Session>("unknown");

onCalls({ loggedOut: () => become("expired") });

/** Asks for as little as there is; whatever the answer, it says who we are. */
export async function recognise(): Promise<void> {
  if (!localStorage.getItem(REMEMBERED)) {
    become("out");
    return;
  }
  try {
    await answer("GET", "api/jobs?limit=1");
    become("in");
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
  }
}

export async function logIn(password: string): Promise<void> {
  await answer("POST", "api/auth", { body: { password } });
  become("in");
}

export async function logOut(): Promise<void> {
  await answer("DELETE", "api/auth");
  become("out");
}

function become(state: Session): void {
  if (state === "in") localStorage.setItem(REMEMBERED, "yes");
  else localStorage.removeItem(REMEMBERED);
  session.value = state;
}
