// The takes of a video: pictures that play, what was done to them, and how different they became.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clockTime, percent } from "../format";
import { Icon } from "../parts/icon";
import { failed } from "../parts/notice";
import { Progress } from "../parts/progress";
import type { FileWithVariations, Variation } from "../shapes";
import { words } from "../words";
import { type Apart, difference, recipeInWords } from "../words/recipe";
import type { Recipe } from "./model";
import { Player } from "./player";
import type { Shown } from "./videos";

const say = words.job;

export function Takes({ file, live, picks }: Shown & { file: Signal<FileWithVariations> }) {
  const shown = file.value;
  const planned = shown.variations.length;
  const playing = useSignal<number | null>(null);
  useEffect(() => {
    if (planned) live.askRecipes(shown.id).catch(failed);
  }, [planned]);
  const recipes = live.recipesOf(shown.id).value;
  if (!planned) return shown.error ? null : <p class="muted small empty">{say.noTakesYet}</p>;
  return (
    <>
      <ul class="take-grid" aria-label={say.showTakes(shown.name)}>
        {shown.variations.map((take, place) => (
          <Take
            key={take.index}
            take={take}
            video={shown}
            recipe={recipes?.variations[place]?.recipe as unknown as Recipe | undefined}
            picked={picks.has(shown.id, take.index)}
            pick={() => picks.toggle(shown.id, take.index)}
            play={() => {
              playing.value = take.index;
            }}
          />
        ))}
      </ul>
      {playing.value !== null && <Player live={live} file={shown} playing={playing} />}
    </>
  );
}

interface TakeProps {
  take: Variation;
  video: FileWithVariations;
  recipe: Recipe | undefined;
  picked: boolean;
  pick(): void;
  play(): void;
}

function Take({ take, video, recipe, picked, pick, play }: TakeProps) {
  const apart = take.distance as { source?: Apart } | null;
  return (
    <li class={`take ${take.status}`}>
      {take.url ? <Still take={take} video={video} play={play} /> : <Unfinished take={take} />}
      <div class="about">
        {take.url ? (
          <label class="pick">
            <input type="checkbox" checked={picked} aria-label={say.select(take.index, video.name)} onChange={pick} />
            <strong>{say.take(take.index)}</strong>
          </label>
        ) : (
          <strong>{say.take(take.index)}</strong>
        )}
        {take.url && (
          <a
            class="button quiet bare"
            href={`${take.url}?download=1`}
            download=""
            aria-label={say.downloadTake(take.index, video.name)}
            title={say.download}
          >
            <Icon name="download" />
          </a>
        )}
      </div>
      <p class="recipe">{recipe ? recipeInWords(recipe.effects) : ""}</p>
      {apart?.source && <p class="muted small">{difference.source(apart.source)}</p>}
      {take.error && <p class="complaint">{take.error}</p>}
    </li>
  );
}

function Still({ take, video, play }: Pick<TakeProps, "take" | "video" | "play">) {
  return (
    <button type="button" class="still" aria-label={say.play(take.index, video.name)} onClick={play}>
      {take.thumbnailUrl ? (
        <img src={take.thumbnailUrl} alt="" loading="lazy" decoding="async" />
      ) : (
        <Icon name="film" />
      )}
      <span class="mark">
        <Icon name="play" />
      </span>
      {take.duration !== null && <span class="length figure">{clockTime(take.duration)}</span>}
    </button>
  );
}

function Unfinished({ take }: { take: Variation }) {
  const state = say.takeStates[take.status] ?? take.status;
  return (
    <div class="still">
      <span class="muted small figure">
        {take.status === "processing" ? `${state} ${percent(take.progress)}` : state}
      </span>
      {take.status === "processing" && <Progress share={take.progress} label={say.take(take.index)} />}
    </div>
  );
}
