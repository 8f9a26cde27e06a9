// A question in front of everything else. The browser's own dialog keeps the focus in it, and Escape means no.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../words";

interface Question {
  title: string;
  body?: ComponentChildren;
  yes: string;
  no?: string;
  danger?: boolean;
}

const asked = signal<(Question & { answered(yes: boolean): void }) | null>(null);

export function ask(question: Question): Promise<boolean> {
  asked.peek()?.answered(false);
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answered: (yes) => {
        asked.value = null;
        resolve(yes);
      },
    };
  });
}

export function Questions() {
  const shown = asked.value;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (shown) dialog.current?.showModal();
  }, [shown]);
  if (!shown) return null;
  return (
    <dialog ref={dialog} class="question" aria-labelledby="question" onClose={() => shown.answered(false)}>
      <h2 id="question">{shown.title}</h2>
      {shown.body && <div class="body">{shown.body}</div>}
      <div class="actions">
        <button type="button" class="button plain" onClick={() => shown.answered(false)}>
          {shown.no ?? words.cancel}
        </button>
        <button type="button" class={`button ${shown.danger ? "danger" : "main"}`} onClick={() => shown.answered(true)}>
          {shown.yes}
        </button>
      </div>
    </dialog>
  );
}
