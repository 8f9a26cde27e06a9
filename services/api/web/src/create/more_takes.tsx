// More takes of videos of an earlier job, whose bytes are still here.

import { type Signal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api";
import { bytes, clockTime } from "../format";
import { Button } from "../parts/button";
import { DropAnywhere } from "../parts/drop";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Failed, Message } from "../parts/message";
import { say as tell } from "../parts/notice";
import type { AcceptedJob, FileWithRecipes, FileWithVariations, Job, Offers } from "../shapes";
import { randomKey } from "../uploads/draft";
import { arrived, type Complaint, complaintOf } from "../uploads/submit";
import { words } from "../words";
import { Ask } from "./ask";
import { optionsOf, type Settings, takesOf, USUAL } from "./settings";
import { SummaryCard } from "./summary";

interface Earlier {
  of: string;
  files: Signal<FileWithVariations[] | null>;
  settings: Signal<Settings>;
  complaint: Signal<Complaint | null>;
  trouble: Signal<unknown>;
  /** What may have been sent already, and under which key. */
  sent: { key: string; text: string } | null;
}

/** The last one is remembered: a login in between loses nothing. */
let last: Earlier | null = null;

function earlierOf(of: string): Earlier {
  if (last?.of !== of) {
    const begun = { files: signal(null), settings: signal(USUAL), complaint: signal(null), trouble: signal(null) };
    last = { of, ...begun, sent: null };
  }
  return last;
}

interface Props {
  job: string;
  file: string | null;
  offers: Offers;
}

export function MoreTakes({ job, file, offers }: Props) {
  const earlier = earlierOf(`${job} ${file}`);
  const look = () => read(earlier, job, file, offers);
  useEffect(() => void look(), []);
  const { files, trouble, settings, complaint } = earlier;
  if (trouble.value) return <Failed error={trouble.value} again={look} />;
  if (!files.value) return <div class="blank" aria-busy="true" />;
  const kept = files.value.filter((one) => one.sourceKept);
  if (!kept.length) return <NoneKept />;
  const sources = kept.map((one) => ({ size: one.size, seconds: one.duration }));
  const all = words.count.takes(kept.length * takesOf(settings.value, offers));
  return (
    <div class="create">
      <div class="parts">
        <Sources files={files.value} />
        <Ask settings={settings} offers={offers} fields={complaint.value?.fields ?? {}} disabled={false} />
      </div>
      <SummaryCard offers={offers} settings={settings.value} sources={sources} upload={0} complaint={complaint.value}>
        <Button look="main" onClick={() => send(earlier, job, kept, offers)}>
          {words.create.submit(all)}
        </Button>
      </SummaryCard>
    </div>
  );
}

function NoneKept() {
  const say = words.create.from;
  return (
    <Message icon="film" title={say.none}>
      <Link class="button main" to="new">
        {say.fresh}
      </Link>
    </Message>
  );
}

function Sources({ files }: { files: FileWithVariations[] }) {
  const say = words.create;
  return (
    <section class="card sources" aria-labelledby="videos">
      <DropAnywhere text={say.from.other} take={() => tell(say.from.other, "plain")} />
      <h2 id="videos">{say.videos}</h2>
      <p class="muted">{say.from.text}</p>
      <ul class="uploads">
        {files.map((file) => (
          <li key={file.id} class="upload">
            <Icon name={file.sourceKept ? "film" : "warning"} />
            <div class="what">
              <p class="name" title={file.name}>
                <bdi>{file.name}</bdi>
              </p>
              <p class="muted small figure">
                {[bytes(file.size), file.duration === null ? "" : clockTime(file.duration)].filter(Boolean).join(" · ")}
              </p>
            </div>
            {!file.sourceKept && <p class="small how trouble">{say.from.gone}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Settings are as they were, as far as recipes tell; the seed is a new one, or the takes would be the same. */
async function read(earlier: Earlier, job: string, file: string | null, offers: Offers): Promise<void> {
  earlier.trouble.value = null;
  if (earlier.files.peek()) return;
  try {
    const found = await call<Job>("GET", `api/jobs/${encodeURIComponent(job)}`);
    const files = found.files.filter((one) => !file || one.id === file);
    const [first] = files;
    const told = first && (await call<FileWithRecipes>("GET", `api/jobs/${encodeURIComponent(job)}/files/${first.id}`));
    earlier.settings.value = { ...settingsOf(told, offers), takes: found.variationsPerVideo, name: found.name ?? "" };
    earlier.files.value = files;
  } catch (error) {
    earlier.trouble.value = error;
  }
}

interface Told {
  preset?: string;
  output?: { profile?: string };
  effects?: { name: string }[];
}

function settingsOf(file: FileWithRecipes | undefined, offers: Offers): Settings {
  const recipes = (file?.variations ?? []).map((one) => one.recipe as Told);
  const preset = offers.presets.find((one) => one.name === recipes[0]?.preset);
  const mirror = recipes.some((recipe) => recipe.effects?.some((effect) => effect.name === "mirror"));
  return {
    ...USUAL,
    preset: preset?.name ?? null,
    profile: recipes[0]?.output?.profile ?? null,
    effects: { mirror },
  };
}

async function send(earlier: Earlier, job: string, files: FileWithVariations[], offers: Offers): Promise<void> {
  earlier.complaint.value = null;
  const settings = earlier.settings.peek();
  const body = {
    fromFiles: files.map((file) => ({ jobId: job, fileId: file.id })),
    variations: takesOf(settings, offers),
    options: optionsOf(settings, offers),
  };
  const text = JSON.stringify(body);
  if (earlier.sent?.text !== text) earlier.sent = { key: randomKey(), text };
  const headers = { "Idempotency-Key": earlier.sent.key };
  try {
    const made = await call<AcceptedJob>("POST", "api/jobs", { body, headers });
    last = null;
    arrived(made);
  } catch (error) {
    earlier.complaint.value = complaintOf(error);
  }
}
