// Short messages at the edge of the page. They are read out, and stay as long as it takes to read them.

import { signal } from "@preact/signals";
import { Problem, Unreachable } from "../api";
import { words } from "../words";
import { Icon, type IconName } from "./icon";

type Tone = "good" | "bad" | "plain";
interface Notice {
  key: number;
  tone: Tone;
  text: string;
}

const ICONS: Record<Tone, IconName> = { good: "check", bad: "warning", plain: "info" };
const MOST = 3;
const LONG = 6_000;

const notices = signal<Notice[]>([]);
let last = 0;

export function say(text: string, tone: Tone = "good"): void {
  last += 1;
  const key = last;
  notices.value = [...notices.value, { key, tone, text }].slice(-MOST);
  setTimeout(() => dismiss(key), LONG + text.length * 40);
}

/** What to show of anything that was thrown. */
export function sentence(error: unknown): string {
  if (error instanceof Problem) return error.message;
  if (error instanceof Unreachable) return words.unreachable;
  console.error(error);
  return words.failed;
}

export function failed(error: unknown): void {
  if (error instanceof Problem && error.status === 401) return; // the login says it
  say(sentence(error), "bad");
}

function dismiss(key: number): void {
  notices.value = notices.value.filter((one) => one.key !== key);
}

export function Notices() {
  return (
    <div class="notices" aria-live="polite">
      {notices.value.map(({ key, tone, text }) => (
        <div key={key} class={`notice ${tone}`}>
          <Icon name={ICONS[tone]} />
          <span>{text}</span>
          <button type="button" class="button quiet bare" aria-label={words.close} onClick={() => dismiss(key)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
