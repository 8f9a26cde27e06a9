import { percent } from "../format";
import { allDone, bytesSent, rows, share, submitted } from "../uploads/draft";
import { words } from "../words";
import { Icon } from "./icon";
import { Link } from "./link";

/** Beside whatever page: that something is uploaded, and the way back to it. */
export function UploadPill() {
  if (!bytesSent.value && !submitted.value) return null;
  const going = allDone.value || rows.value.some((row) => ["going", "queued"].includes(row.stage.value));
  const far = percent(share.value ?? 1);
  return (
    <Link class={`pill ${going ? "" : "waits"}`} to="new">
      <Icon name="upload" />
      {allDone.value ? words.uploads.pillDone : going ? words.uploads.pill(far) : words.uploads.pillWaits(far)}
    </Link>
  );
}
