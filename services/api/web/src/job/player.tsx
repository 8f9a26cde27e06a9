// One take, large: it plays, with all of how it was made, and the others a key away.

import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { bytes } from "../format";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { failed } from "../parts/notice";
import { copy } from "../save";
import type { FileWithVariations, Variation } from "../shapes";
import { words } from "../words";
import { type Apart, difference, recipeInWords } from "../words/recipe";
import type { LiveJob, Recipe } from "./model";

const say = words.job.player;

interface Props {
  live: LiveJob;
  file: FileWithVariations;
  playing: Signal<number | null>;
}

export function Player({ live, file, playing }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const there = file.variations.filter((take) => take.url);
  const place = there.findIndex((take) => take.index === playing.value);
  const take = there[place];
  useEffect(() => {
    dialog.current?.showModal();
    live.askRecipes(file.id).catch(failed);
  }, []);
  if (!take) return null;
  const turn = (by: number) => {
    const next = there[place + by];
    if (next) playing.value = next.index;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLVideoElement || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  };
  return (
    <dialog
      ref={dialog}
      class="player"
      aria-labelledby="player"
      onKeyDown={onKeyDown}
      onClose={() => {
        playing.value = null;
      }}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="inside">
        <header>
          <h2 id="player">
            {words.job.take(take.index)} {say.of} <bdi>{file.name}</bdi>
          </h2>
          <Button look="quiet" icon="close" label={words.close} onClick={() => dialog.current?.close()} />
        </header>
        <Screen take={take} file={file} />
        <nav aria-label={say.hint}>
          <Button icon="back" disabled={place === 0} label={say.before} onClick={() => turn(-1)} />
          <p class="muted small">{say.hint}</p>
          <Button icon="forth" disabled={place === there.length - 1} label={say.next} onClick={() => turn(1)} />
        </nav>
        <Made live={live} file={file} take={take} />
      </div>
    </dialog>
  );
}

/** Anew for each take, so that none plays with the sound of another. */
function Screen({ take, file }: { take: Variation; file: FileWithVariations }) {
  return (
    // biome-ignore lint/a11y/useMediaCaption: what people upload has no captions
    <video
      key={take.index}
      src={take.url ?? ""}
      poster={take.thumbnailUrl ?? ""}
      controls
      autoPlay
      playsInline
      style={{ aspectRatio: `${file.width ?? 16} / ${file.height ?? 9}` }}
    >
      {say.noSound}
    </video>
  );
}

function Made({ live, file, take }: { live: LiveJob; file: FileWithVariations; take: Variation }) {
  const made = live.recipesOf(file.id).value?.variations.find((one) => one.index === take.index);
  const recipe = made?.recipe as unknown as Recipe | undefined;
  return (
    <div class="made">
      <section>
        <h3>{say.recipe}</h3>
        {recipe && (
          <>
            <p>{recipeInWords(recipe.effects)}</p>
            <dl class="figure">
              {recipe.effects.map(({ name, params }) => (
                <Fact key={name} name={name} value={parameters(params)} />
              ))}
              <Fact name={say.seed} value={String(recipe.seed)} />
              {recipe.preset && <Fact name={say.preset} value={recipe.preset} />}
              {recipe.output?.profile && <Fact name={say.profile} value={recipe.output.profile} />}
              {made?.engine && <Fact name={say.engine} value={made.engine} />}
            </dl>
            <Button icon="copy" onClick={() => copy(JSON.stringify(recipe), say.recipeCopied)}>
              {say.copyRecipe}
            </Button>
          </>
        )}
      </section>
      <section>
        <h3>{difference.title}</h3>
        <Differences take={take} />
        {take.size !== null && (
          <a class="button" href={`${take.url}?download=1`} download="">
            <Icon name="download" />
            <span>
              {words.job.download} ({bytes(take.size)})
            </span>
          </a>
        )}
      </section>
    </div>
  );
}

const parameters = (params: Record<string, number>) =>
  Object.entries(params)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ") || "✓";

function Fact({ name, value, why }: { name: string; value: string; why?: string }) {
  return (
    <div title={why}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Differences({ take }: { take: Variation }) {
  const apart = take.distance as { source?: Apart; nearest?: Apart & { index: number } } | null;
  return (
    <>
      {apart?.source && <OneDifference from={difference.from.source} apart={apart.source} />}
      {apart?.nearest && <OneDifference from={difference.from.nearest(apart.nearest.index)} apart={apart.nearest} />}
    </>
  );
}

function OneDifference({ from, apart }: { from: string; apart: Apart }) {
  return (
    <>
      <p>{from}</p>
      <dl class="figure">
        <Fact name={difference.alike} value={difference.alikeText(apart.look.ssim)} why={difference.alikeWhy} />
        <Fact name={difference.colours} value={difference.coloursText(apart.look.dyuv)} />
        <Fact name={difference.structure} value={difference.structureText(apart.structure)} />
        <Fact name={difference.time} value={difference.timeText(apart.time)} />
      </dl>
      {apart.mirrored && <p class="muted small">{difference.mirrored}</p>}
    </>
  );
}
