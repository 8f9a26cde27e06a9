// The videos of a job: how they come in, what was left out, and how far each is.

import { useEffect, useRef } from "preact/hooks";
import { bytes } from "../format";
import { Button } from "../parts/button";
import { DropAnywhere } from "../parts/drop";
import { Icon } from "../parts/icon";
import type { Offers } from "../shapes";
import { type LeftOut, leftOut, takeFiles } from "../uploads";
import { looking, rows } from "../uploads/draft";
import { words } from "../words";
import { Overall } from "./overall";
import { UploadRow } from "./row";

const SHOWN = 20;

export function Sources({ offers }: { offers: Offers }) {
  const say = words.create;
  const some = rows.value.length > 0;
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      if (event.clipboardData?.files.length) void takeFiles(event.clipboardData);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);
  return (
    <section class="card sources" aria-labelledby="videos">
      <DropAnywhere text={say.dropHere} take={takeFiles} />
      <h2 id="videos">{say.videos}</h2>
      <div class={`drop ${some ? "some" : ""}`} aria-busy={looking.value}>
        {!some && <Icon name="upload" />}
        <p>
          <strong>{looking.value ? say.looking : say.drop}</strong>
          <span class="muted small">
            {say.limits(words.uploads.types(offers.types), bytes(offers.fileBytes), offers.uploadsMost)}
          </span>
        </p>
        <Choose types={offers.types} main={!some} />
      </div>
      {leftOut.value.length > 0 && <LeftOutList list={leftOut.value} />}
      {some && <Overall />}
      {some && (
        <ul class="uploads">
          {rows.value.map((row) => (
            <UploadRow key={row.key} row={row} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Choose({ types, main }: { types: string[]; main: boolean }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const say = words.create;
  const take = (event: { currentTarget: HTMLInputElement }) => {
    void takeFiles(event.currentTarget.files ?? []);
    event.currentTarget.value = ""; // so that the same can be chosen again
  };
  useEffect(() => {
    if (folder.current) folder.current.webkitdirectory = true;
  }, []);
  return (
    <div class="choose">
      <Button look={main ? "main" : "plain"} icon="plus" onClick={() => files.current?.click()}>
        {say.chooseFiles}
      </Button>
      <Button look={main ? "plain" : "quiet"} onClick={() => folder.current?.click()}>
        {say.chooseFolder}
      </Button>
      <input ref={files} type="file" multiple hidden accept={types.map((type) => `.${type}`).join()} onChange={take} />
      <input ref={folder} type="file" multiple hidden onChange={take} />
    </div>
  );
}

function LeftOutList({ list }: { list: LeftOut[] }) {
  const say = words.create;
  return (
    <div class="callout left-out" role="alert">
      <div>
        <p>{say.leftOut(list.length)}</p>
        <ul>
          {list.slice(0, SHOWN).map((one) => (
            <li key={one.path}>
              <bdi>{one.path}</bdi> {one.why}
            </li>
          ))}
          {list.length > SHOWN && <li>{say.leftOutMore(list.length - SHOWN)}</li>}
        </ul>
      </div>
      <Button
        look="quiet"
        icon="close"
        label={say.dismiss}
        onClick={() => {
          leftOut.value = [];
          document.querySelector<HTMLElement>(".choose button")?.focus();
        }}
      />
    </div>
  );
}
