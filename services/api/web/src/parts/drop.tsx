// Files that are dragged over a page, wherever on it.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "./icon";

interface Props {
  /** What dropping them would do. */
  text: string;
  take(given: DataTransfer): void;
}

export function DropAnywhere({ text, take }: Props) {
  const over = useSignal(false);
  useEffect(() => {
    const ended = new AbortController();
    const on = (kind: string, act: (event: DragEvent, files: DataTransfer) => void) =>
      addEventListener(
        kind,
        (event) => {
          const given = (event as DragEvent).dataTransfer;
          if (given?.types.includes("Files")) act(event as DragEvent, given);
        },
        { signal: ended.signal },
      );
    on("dragover", () => {
      over.value = true;
    });
    on("dragleave", (event) => {
      if (event.relatedTarget === null) over.value = false;
    });
    on("drop", (_, given) => {
      over.value = false;
      take(given);
    });
    return () => ended.abort();
  }, [take]);
  if (!over.value) return null;
  return (
    <div class="drop-anywhere">
      <Icon name="upload" />
      <p>{text}</p>
    </div>
  );
}
