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
  /** There is nothing to decide. */
  alone?: boolean;
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
  const yes = useRef(false);
  useEffect(() => {
    yes.current = false;
    if (shown) dialog.current?.showModal();
  }, [shown]);
  if (!shown) return null;
  // Closing it gives the focus back to where it was.
  const close = (answer: boolean) => {
    yes.current = answer;
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="question" aria-labelledby="question" onClose={() => shown.answered(yes.current)}>
      <h2 id="question">{shown.title}</h2>
      {shown.body && <div class="body">{shown.body}</div>}
      <div class="actions">
        {!shown.alone && (
          <button type="button" class="button plain" onClick={() => close(false)}>
            {shown.no ?? words.cancel}
          </button>
        )}
        <button type="button" class={`button ${shown.danger ? "danger" : "main"}`} onClick={() => close(true)}>
          {shown.yes}
        </button>
      </div>
    </dialog>
  );
}
