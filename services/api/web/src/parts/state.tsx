import type { State } from "../shapes";
import { words } from "../words";
import { Icon, type IconName } from "./icon";

const ICONS: Record<State, IconName> = {
  queued: "clock",
  processing: "film",
  paused: "pause",
  cancelling: "stop",
  completed: "check",
  failed: "warning",
  cancelled: "close",
  expired: "trash",
};

/** In words and with a picture; colour only helps. */
export function StateBadge({ state }: { state: State }) {
  return (
    <span class={`state ${state}`}>
      <Icon name={ICONS[state]} />
      {words.states[state]}
    </span>
  );
}
