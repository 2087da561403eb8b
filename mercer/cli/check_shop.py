"""A shop's folder in; its data checked as mercer.toml says, kept as a version and, if the gate lets it, live, out."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import progress
from mercer.errors import SettingsError
from mercer.shop import Shop

if TYPE_CHECKING:
    from mercer.cli.live import Live
    from mercer.quality.check import CheckSettings
    from mercer.quality.labelled import Labels
    from mercer.quality.last_good import Before
    from mercer.quality.ledger import Ledger
    from mercer.quality.run import Checked, QualitySettings
    from mercer.quality.source import Source

__all__ = ["check_shop", "quality_settings", "settings_of"]


def settings_of(shop: Shop) -> QualitySettings:
    """[quality] of a shop, with its own secret where pseudonyms are made."""
    from mercer.cli.settings import tables
    from mercer.quality.secret import salted, shop_salt

    return salted(quality_settings(tables(shop.folder).get("quality", {})), shop_salt(shop.store))


def check_shop(shop: Shop, *, again: bool = False, engine: str = "duckdb") -> tuple[str, bool]:
    """Check a shop as its mercer.toml says; its version, and whether nothing had changed since the last check.

    What came in through the API counts as its files do. A blocked version is kept, and not made live.
    """
    from mercer.cli.live import live
    from mercer.cli.settings import tables
    from mercer.quality.erased import Erased
    from mercer.quality.labelled import Labels
    from mercer.quality.last_good import expired
    from mercer.quality.ledger import Ledger, fingerprint
    from mercer.quality.source import sources

    told = tables(shop.folder)
    data, maps = told.get("data", {}), told.get("map", {})
    settings = settings_of(shop)
    found = sources(shop.folder, data, maps)
    ledger = Ledger(shop.store)
    with shop.lock("check"):
        before = _before(shop)
        more = live(shop, since=_written(found))
        erased, labels = Erased(shop.store), Labels(shop.store)
        words = [
            json.dumps([data, maps], sort_keys=True),
            settings.to_text(),
            *sorted([*ledger.restored(), *ledger.approved()]),
            *(one.check + one.until for one in settings.ended(int(time.time() * 1000))),
            more.told(),
            *expired(before, settings, int(time.time() * 1000)),
            *([erased.name] if erased else []),
            *([labels.name] if labels.lines else []),
        ]
        print_of = fingerprint({family: source.files for family, source in found.items()}, told=words)
        last = ledger.last()
        if not again and last and last["fingerprint"] == print_of and _whole(shop, last):
            return str(last["version"]), True
        checked = _run(shop, found, settings, ledger, more, labels, before=before, again=again, engine=engine)
        ledger.add(checked)
        _keep(shop, checked, ledger)
        ledger.remember(version=checked.version, fingerprint=print_of, blocked=checked.gate.blocked)
    return checked.version, False


def _before(shop: Shop) -> Before | None:
    """The products that were accepted last, where a version is live and still on disk."""
    from mercer.quality.last_good import read_before

    accepted = shop.live("checked")
    return read_before(shop.path("checked", accepted.version), accepted.version) if accepted else None


def _written(found: Mapping[str, Source]) -> int:
    """When the product file was written, UTC milliseconds; 0 where there is none."""
    source = found.get("products")
    return int(source.path.stat().st_mtime * 1000) if source and source.path.exists() else 0


def quality_settings(data: Mapping[str, Any]) -> QualitySettings:
    """[quality], where a table named for a check ([quality.C06]) holds that check's settings.

    [quality.C06.sources.NAME] changes some of them for one family or file; [[quality.suppress]] lets findings pass.

    Raises:
        SettingsError: an unknown check, key or value.
    """
    import dataclasses

    from mercer.config import section
    from mercer.quality.check import find
    from mercer.quality.run import QualitySettings

    _owned(data.get("suppress", []))
    named = {key: value for key, value in data.items() if re.fullmatch("[A-Z][0-9]{2}", key)}
    rest = {key: value for key, value in data.items() if key not in named}
    checks: dict[str, CheckSettings] = {}
    sources: dict[str, dict[str, CheckSettings]] = {}
    for id, table in named.items():
        kind = find(id).settings
        usual = {key: value for key, value in table.items() if key != "sources"}
        checks[id] = section(usual, kind, name=f"quality.{id}")
        for name, special in table.get("sources", {}).items():
            own = section({**usual, **special}, kind, name=f"quality.{id}.sources.{name}")
            sources.setdefault(id, {})[name] = own
    return dataclasses.replace(section(rest, QualitySettings, name="quality"), checks=checks, sources=sources)


def _owned(given: Any) -> None:
    for one in given if isinstance(given, list) else ():
        for name in ("check", "owner", "until"):
            if name not in one:
                raise SettingsError(
                    f"[[quality.suppress]] has no {name}",
                    cure='give check = "C06", owner = "who", until = "2026-03-31"',
                )


def _whole(shop: Shop, last: Mapping[str, Any]) -> bool:
    """The last version is on disk, and live unless it was blocked."""
    live = shop.live("checked")
    there = last["version"] in shop.versions("checked")
    return there and (last["blocked"] or (live is not None and live.version == last["version"]))


def _run(
    shop: Shop,
    found: Mapping[str, Source],
    settings: QualitySettings,
    ledger: Ledger,
    more: Live,
    labels: Labels,
    *,
    before: Before | None,
    again: bool,
    engine: str,
) -> Checked:
    from mercer.quality.check import registry
    from mercer.quality.engine import open_engine
    from mercer.quality.erased import Erased
    from mercer.quality.run import check
    from mercer.quality.secret import private_folder
    from mercer.quality.source import read_all

    running = open_engine(engine, memory=settings.memory)
    parts = private_folder(shop.cache / "parts")
    try:
        with progress() as bars:
            families = dict.fromkeys([*found, *(["events"] if more.events else [])])
            tasks = {family: bars.add_task(f"reading {family}", total=None) for family in families}
            raws = read_all(
                found,
                parts=parts,
                live=more.events,
                erased=Erased(shop.store),
                tick=lambda family, rows: bars.advance(tasks[family], rows),
            )
            for family, raw in raws.items():
                bars.update(tasks[family], completed=raw.rows, total=raw.rows)
            raws = labels.merged(more.merged(raws))
            active = [
                declared.id
                for declared in registry().values()
                if declared.id not in settings.disable and any(family in raws for family in declared.families)
            ]
            checking = bars.add_task("checking", total=len(active))
            checked = check(
                raws,
                settings,
                history=[run["measures"] for run in ledger.history() if run["gate"] != "block" and "measures" in run],
                before=before,
                kept=parts,
                fresh=again,
                restored=ledger.restored(),
                approved=ledger.approved(),
                sequence=more.last_change,
                live=more.last_event,
                engine=running,
                tick=lambda _: bars.advance(checking),
            )
    finally:
        running.close()
    return checked


def _keep(shop: Shop, checked: Checked, ledger: Ledger) -> None:
    from mercer.quality.write import write

    with shop.writing("checked") as folder:
        write(checked, folder, shop=shop.folder.absolute().name, history=ledger.history())
        decided = checked.gate.decided_by
        card = {
            "gate": checked.gate.status,
            "decided_by": {"check": decided.check, "family": decided.family, "share": decided.share},
            "rows": checked.manifest["rows"],
            "trusted_hash": checked.manifest["trusted_hash"],
        }
        shop.keep("checked", folder, card, version=checked.version)
    if not checked.gate.blocked:
        shop.publish("checked", checked.version, note=f"gate {checked.gate.status}")
