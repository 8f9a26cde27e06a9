import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { address, call, Problem } from "../api";
import { Icon } from "../parts/icon";
import { Failed } from "../parts/message";
import type { Health, StorageUse, Worker } from "../shapes";
import { Storage } from "../system/storage";
import { Workers } from "../system/workers";
import { words } from "../words";

interface Seen {
  health: Health;
  workers: Worker[];
  storage: StorageUse;
}

const AGAIN = 3_000;

/** What works, who works, and what is stored; anew every few seconds while somebody looks. */
export function SystemPage() {
  const seen = useSignal<Seen | null>(null);
  const trouble = useSignal<unknown>(null);
  const look = async () => {
    try {
      const [health, workers, storage] = await Promise.all([
        askHealth(),
        call<Worker[]>("GET", "api/workers"),
        call<StorageUse>("GET", "api/storage"),
      ]);
      seen.value = { health, workers, storage };
      trouble.value = null;
    } catch (error) {
      trouble.value = error;
    }
  };
  useEffect(() => {
    void look();
    const timer = setInterval(() => !document.hidden && void look(), AGAIN);
    return () => clearInterval(timer);
  }, []);
  const now = seen.value;
  if (!now && trouble.value) return <Failed error={trouble.value} again={look} />;
  return (
    <>
      <h1>{words.titles.system}</h1>
      {now ? (
        <div class="system">
          <div class="column">
            <HealthCard health={now.health} />
            <Workers workers={now.workers} />
          </div>
          <Storage use={now.storage} anew={look} />
        </div>
      ) : (
        <div class="blank" aria-busy="true" />
      )}
    </>
  );
}

/** What is down is an answer, too. */
async function askHealth(): Promise<Health> {
  try {
    return await call<Health>("GET", "api/health");
  } catch (error) {
    if (error instanceof Problem && "parts" in error.more) return error.more as unknown as Health;
    throw error;
  }
}

function HealthCard({ health }: { health: Health }) {
  const say = words.system;
  const down = Object.keys(health.parts).filter((part) => health.parts[part] !== "ok");
  const named = down.map((part) => say.parts[part]?.name ?? part).join(", ");
  return (
    <section class="card" aria-labelledby="health">
      <h2 id="health">{say.health}</h2>
      <p role="status">{down.length ? say.trouble(named) : say.fine}</p>
      <ul class="parts-list">
        {Object.entries(health.parts).map(([part, state]) => (
          <li key={part}>
            <span class={`state ${state === "ok" ? "completed" : "failed"}`}>
              <Icon name={state === "ok" ? "check" : "warning"} />
              {state === "ok" ? say.ok : say.down}
            </span>
            <strong>{say.parts[part]?.name ?? part}</strong>
            <span class="muted small">{state === "ok" ? say.parts[part]?.text : say.downText}</span>
          </li>
        ))}
      </ul>
      <p class="muted small">
        {say.version(health.version)} · <a href={address("api/docs")}>{say.docs}</a>
      </p>
    </section>
  );
}
