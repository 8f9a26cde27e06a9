// Bytes to the disk, texts to the clipboard.

import { address } from "./api";
import { say } from "./parts/notice";
import { ask } from "./parts/question";
import { words } from "./words";

export function zipAddress(job: string): string {
  return `api/jobs/${job}/download`;
}

/** The browser saves it, with its own progress and resuming. */
export function save(path: string): void {
  const link = document.createElement("a");
  link.href = address(path);
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** Where the page may not write to the clipboard, the text is shown to be copied by hand. */
export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    await ask({
      title: words.byHand,
      body: <textarea readOnly rows={4} value={text} onFocus={(event) => event.currentTarget.select()} />,
      yes: words.close,
      alone: true,
    });
  }
}
