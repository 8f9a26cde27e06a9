import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { MoreTakes } from "../create/more_takes";
import { UploadJob } from "../create/upload_job";
import { askOffers, offers } from "../offers";
import { Failed } from "../parts/message";
import { query } from "../router";
import { words } from "../words";

/** `?from=<job>`, or `?from=<job>&file=<id>`, makes more takes of what is here already. */
export function CreatePage() {
  const trouble = useSignal<unknown>(null);
  const look = async () => {
    trouble.value = null;
    await askOffers().catch((error: unknown) => {
      trouble.value = error;
    });
  };
  useEffect(() => void look(), []);
  const from = query.value.get("from");
  const file = query.value.get("file");
  if (trouble.value) return <Failed error={trouble.value} again={look} />;
  if (!offers.value) return <div class="blank" aria-busy="true" />;
  return (
    <>
      <h1>{from ? words.create.from.title : words.titles.create}</h1>
      {from ? (
        <MoreTakes key={`${from} ${file}`} job={from} file={file} offers={offers.value} />
      ) : (
        <UploadJob offers={offers.value} />
      )}
    </>
  );
}
