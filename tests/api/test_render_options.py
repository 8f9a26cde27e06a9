"""Options that say what takes look like, and how far takes were kept apart, as the API takes and tells them."""

import json

import httpx
import pytest

from api.acting import TIMING, claim_next, inspect, submit
from api.conftest import form
from api.wire import clip
from retake.domain import distinct
from retake.domain.candidates import Candidates
from retake.store import parts
from retake.store.connect import Database
from retake.store.move import LeaseLost
from retake.store.work import work_of

pytestmark = pytest.mark.anyio


async def test_takes_that_could_not_be_kept_apart_are_told(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "a.mp4", "b.mp4", "c.mp4", variations="3")
    first, second = await inspect(database, takes=3), await inspect(database, takes=3, near=[(1, 3), (0, 2)])

    job = (await client.get(told["statusUrl"])).json()

    found = {file["id"]: file["distinct"] and file["distinct"]["nearPairs"] for file in job["files"]}
    assert (found.pop(str(first)), found.pop(str(second)), *found.values()) == (0, 2, None)
    assert job["distinct"]["kept"] is False
    assert job["distinct"]["note"].startswith("1 pair of takes and 1 take and the source look nearly the same")


async def test_what_is_measured_takes_the_place_of_what_was_planned(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4", variations="2")
    await inspect(database, takes=2, near=[(1, 2)])
    claimed = await claim_next(database)
    await parts.tell_distinct(database, claimed, distinct.told([], 2, measured=True))
    await parts.release(database, claimed, TIMING, blocked=False)

    with pytest.raises(LeaseLost):
        await parts.tell_distinct(database, claimed, distinct.told([(1, 2)], 2, measured=True))

    job = (await client.get(told["statusUrl"])).json()
    assert job["distinct"] == {"nearPairs": 0, "kept": True, "note": None}


async def test_a_recipe_that_was_shown_can_be_asked_for_again(client: httpx.AsyncClient, database: Database) -> None:
    recipes = json.loads(json.dumps(Candidates(3, "ab" * 32, 2).first()))

    told = await submit(client, "a.mp4", options=json.dumps({"recipes": recipes, "name": "again"}))

    assert (told["variationsPerVideo"], told["totalVariations"]) == (2, 2)
    work = await work_of(database, await claim_next(database))
    assert work.options == {"recipes": recipes, "name": "again"}


async def test_an_option_that_cannot_be_is_refused_with_its_place(client: httpx.AsyncClient) -> None:
    options = json.dumps({"effects": {"ranges": {"zoom": {"factor": [1, 3]}}}})

    answer = await client.post("/api/jobs", **form(("a.mp4", clip()), options=options))

    told = answer.json()
    assert answer.status_code == 422
    assert told["error"] == "The option `effects.ranges.zoom.factor[1]` must be a number from 1 to 1.25."
    assert told["errors"] == [{"where": "options.effects.ranges.zoom.factor[1]", "what": told["error"]}]
