"""`python -m retake migrate | doctor | doctor s3 | key NAME`: what operators run by hand, and the chart in its jobs."""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence

import structlog

from retake.api_keys import Malformed, Scope, make
from retake.doctor import SECTIONS, Asked, Finding
from retake.entry import end_when_told
from retake.settings import Postgres, SettingsError, read
from retake.store.connect import Unavailable
from retake.store.migrate import MigrationError, migrate, shipped

FINE, FOUND, MISUSED = 0, 1, 2


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  this process talks to a person at a terminal


def complain(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201  this process talks to a person at a terminal


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    sections = "\n".join(f"  {name:<9} {section.explain}" for name, section in SECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m retake",
        description="Commands for those who operate retake. They read the same RETAKE_ settings as its services.",
        epilog="Exit codes: 0 all is well; 1 something was found, or could not be done; 2 wrong usage or settings.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="migrate | doctor | key")
    verbs.add_parser(
        "migrate",
        help="bring the database to the schema of this release",
        description="Applies the migrations that the database lacks, each in a transaction of its own. Safe to run "
        "at any time and by several at once: one migrates, the others wait and find nothing to do.",
    )
    doctor = verbs.add_parser(
        "doctor",
        help="look whether this installation is sound",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Looks at one section, or at all of them in this order:\n\n" + sections,
        epilog="It makes the bucket if there is none, works in it under a prefix of its own and deletes what it made;\n"
        "else it changes nothing, unless asked to --repair. So `doctor s3` is also how to try an object store before\n"
        "it is used.",
    )
    doctor.add_argument("section", nargs="?", choices=list(SECTIONS), help="look at this only")
    doctor.add_argument("--json", action="store_true", help="print one JSON document, at the end")
    key = verbs.add_parser(
        "key",
        help="make an API key",
        description="Prints a new key, and the line that makes it known: put that into the file RETAKE_API_KEYS names. "
        "The key is nowhere else; to revoke it, remove its line.",
    )
    key.add_argument("name", help="whose it is, for the log")
    key.add_argument("--workspace", required=True, help="whose jobs it works with; made when there is none")
    key.add_argument("--scope", default="read,submit", help=f"of {', '.join(Scope)}, with commas (%(default)s)")
    doctor.add_argument("--at-rest", action="store_true", help="nothing should be under way: say what still is")
    doctor.add_argument("--deep", action="store_true", help="read every take and compare its bytes with its checksum")
    doctor.add_argument("--repair", action="store_true", help="set the storage ledger right where it is wrong")
    return parser.parse_args(argv)


async def run_migrate(environ: Mapping[str, str]) -> int:
    done = await migrate(read(Postgres, environ).url)
    say(f"{done} migrations applied; the schema is at version {shipped()[-1].version}.")
    return FINE


def run_key(name: str, workspace: str, scopes: str) -> int:
    try:
        key, line = make(name, workspace, scopes)
    except Malformed as wrong:
        complain(f"No key was made: {wrong}.")
        return MISUSED
    say(f"the key, shown only now:\n  {key}\nthe line for the file RETAKE_API_KEYS names:\n  {line}")
    return FINE


async def run_doctor(environ: Mapping[str, str], names: Sequence[str], asked: Asked, *, as_json: bool) -> int:
    found: list[tuple[str, Finding]] = []
    for name in names:
        if not as_json:
            say(name)
        async for finding in SECTIONS[name].look(environ, asked):
            found.append((name, finding))
            if not as_json:
                say(_line(finding))
    bad = sum(finding.problem is not None for _, finding in found)
    if as_json:
        say(_document(found))
    else:
        say(f"{bad} of {len(found)} things are not as they should be." if bad else f"All {len(found)} things are fine.")
    return FOUND if bad else FINE


def _line(finding: Finding) -> str:
    if finding.problem is not None:
        return f"  BAD  {finding.name}: {finding.problem}"
    return f"  ok   {finding.name}" + (f"  ({finding.seconds:.1f} s)" if finding.seconds >= 0.1 else "")


def _document(found: Sequence[tuple[str, Finding]]) -> str:
    findings = [
        {
            "section": section,
            "name": finding.name,
            "ok": finding.problem is None,
            "problem": finding.problem,
            "seconds": round(finding.seconds, 3),
        }
        for section, finding in found
    ]
    return json.dumps({"ok": all(finding["ok"] for finding in findings), "findings": findings}, indent=2)


def quieten_logs() -> None:
    """Only warnings, and beside the output; each retry of the object store ends in an error of its own."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    asked = arguments(argv)
    quieten_logs()
    end_when_told()
    try:
        if asked.verb == "migrate":
            return asyncio.run(run_migrate(environ))
        if asked.verb == "key":
            return run_key(asked.name, asked.workspace, asked.scope)
        names = [asked.section] if asked.section else list(SECTIONS)
        how = Asked(at_rest=asked.at_rest, deep=asked.deep, repair=asked.repair)
        return asyncio.run(run_doctor(environ, names, how, as_json=asked.json))
    except SettingsError as error:
        complain(str(error))
        return MISUSED
    except (MigrationError, Unavailable) as error:
        complain(str(error))
        return FOUND
    except KeyboardInterrupt:
        complain("stopped")
        return FOUND


sys.exit(main(sys.argv[1:], os.environ))
