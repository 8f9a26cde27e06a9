// A job of videos that are uploaded here.

import { useEffect } from "preact/hooks";
import { Button } from "../parts/button";
import type { Offers } from "../shapes";
import { underWay } from "../title";
import { allDone, bytesInAll, bytesSent, request, rows, settings, share, submitted } from "../uploads/draft";
import { complaint, delayed, submit, takeBack } from "../uploads/submit";
import { words } from "../words";
import { Ask } from "./ask";
import { takesOf } from "./settings";
import { Sources } from "./sources";
import { SummaryCard } from "./summary";

export function UploadJob({ offers }: { offers: Offers }) {
  useEffect(() => {
    underWay.value = share.value;
  }, [share.value]);
  useEffect(
    () => () => {
      underWay.value = null;
    },
    [],
  );
  const sources = rows.value.map((row) => ({ size: row.size, seconds: row.seconds.value }));
  return (
    <div class="create">
      <div class="parts">
        <Sources offers={offers} />
        <Ask settings={settings} offers={offers} fields={complaint.value?.fields ?? {}} disabled={submitted.value} />
      </div>
      <SummaryCard
        offers={offers}
        settings={settings.value}
        sources={sources}
        upload={bytesInAll.value - bytesSent.value}
        complaint={complaint.value}
      >
        {submitted.value && <Submitted />}
        <Submit offers={offers} />
      </SummaryCard>
    </div>
  );
}

/** One button, so that the focus stays on it. */
function Submit({ offers }: { offers: Offers }) {
  const say = words.create;
  const videos = rows.value.length;
  const takes = words.count.takes(takesOf(settings.value, offers) * Math.max(1, videos));
  const asked = submitted.value;
  return (
    <>
      <Button
        look={asked ? "plain" : "main"}
        disabled={asked ? request.value !== null : !videos}
        onClick={asked ? takeBack : submit}
      >
        {asked ? say.takeBack : say.submit(takes)}
      </Button>
      {!asked && !allDone.value && <p class="muted small">{videos ? say.early : say.first}</p>}
    </>
  );
}

/** Said for as long as it is true: the job is made when the service has answered, not before. */
function Submitted() {
  const say = words.create;
  const stuck = rows.value.filter((row) => ["failed", "refused", "missing", "paused"].includes(row.stage.value)).length;
  return (
    <>
      <p class="callout" role="status">
        {delayed.value || (allDone.value ? say.sending : say.waits)}
      </p>
      {stuck > 0 && <p class="callout bad">{say.stuck(words.count.videos(stuck))}</p>}
    </>
  );
}
