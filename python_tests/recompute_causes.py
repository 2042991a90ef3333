"""R21, computed a second time and the long way: who moved a tier, by ranking everybody anew for every single customer.

Builds are handed in one after the other, as they happened; what each of them believed about rules and parents is what was
recorded. The metrics are those of the last build.

    causes = Causes()
    causes.see(World.read(...))                        every build that looks forward
    causes.changes("sales_performance", day_1, day_2)   {member: Change} of those whom a step moved
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from recompute import Amount, Configuration, Entity, Evaluation, Standing, World, rank, round_half_up, rule

STEPS = ["start", "hierarchy", "configuration", "own_metric", "peers", "override", "hysteresis"]
# In force, so in history.
RECORDED = ("active", "challenger")


@dataclass(frozen=True)
class Build:
    """What a build believed."""

    as_of: date
    configuration: Configuration
    parents: Mapping[str, str]
    vat_groups: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """The tier of a member after each step, and the numbers beside it."""

    tiers: tuple[str, ...]
    old_entity_id: str
    new_entity_id: str
    old_segment_type_id: str
    is_recorded: bool
    metric_amounts: tuple[Amount | None, Amount | None, Amount]

    @property
    def causes(self) -> str:
        """The steps that moved it."""
        moves = zip(STEPS[1:], pairwise(self.tiers), strict=True)
        return "|".join(f"{step}:{before}>{after}" for step, (before, after) in moves if before != after)


@dataclass(frozen=True)
class Rules:
    """One version of a type as it was on a day, and under whose name its metric is evaluated now."""

    segment_type_id: str
    build: Build
    metric_type_id: str
    is_recorded: bool

    @property
    def cells(self) -> dict[str, Any]:
        """The row of segment_types."""
        return self.build.configuration.segment_types[self.segment_type_id]

    def tier_without_rank(self, reason: str) -> str:
        """R6."""
        return self.build.configuration.tier_without_rank(self.segment_type_id, reason)

    def rank_of(self, tier: str) -> int | None:
        """1 for the best; none where these rules know no such tier."""
        ranks = {row.name: row.rank for row in self.build.configuration.tiers[self.segment_type_id]}
        return ranks.get(tier)


class Ranking:
    """Entities under some rules, with what their members bring."""

    def __init__(self, rules: Rules, day: date, parts: Mapping[str, Evaluation], owners: Mapping[str, Entity], put_away: set[str]) -> None:
        """Add up the members of every entity and judge it."""
        self.rules = rules
        self.ladder = rules.build.configuration.ladder(rules.segment_type_id)
        self.metrics: dict[Entity, Amount] = defaultdict(int)
        self.reasons: dict[Entity, str] = {}
        self.pool: dict[Entity, Amount] = {}
        members: dict[Entity, list[Evaluation]] = defaultdict(list)
        for member_id, part in parts.items():
            members[owners[member_id]].append(part)
        minimum, days = rules.cells["min_net_sales"], rules.cells["new_customer_days"]
        for entity, own in members.items():
            self.metrics[entity] = sum(part.metric for part in own)
            first = min((part.first_invoiced for part in own if part.first_invoiced), default=None)
            if first is None or (day - first).days < days:
                reason = "default_new"
            elif self.metrics[entity] <= 0:
                reason = "non_positive_net_sales"
            elif minimum is not None and sum(part.net_sales for part in own) < minimum:
                reason = "below_min_net_sales"
            else:
                reason = "ranked"
            self.reasons[entity] = reason
            is_apart = entity.is_internal or entity.entity_id in put_away
            keeps_its_place = rules.cells["denominator"] == "all" and reason in ("ranked", "below_min_net_sales")
            if keeps_its_place or (reason == "ranked" and not is_apart):
                self.pool[entity] = self.metrics[entity]

    def computed_tier(self, entity: Entity, other: Ranking | None = None) -> str:
        """The tier it gets here: everybody ranked, with what it brings itself here or in another ranking."""
        source = other or self
        if entity.is_internal:
            return self.rules.tier_without_rank("excluded")
        reason = source.reasons.get(entity, "default_new")
        if reason != "ranked":
            return self.rules.tier_without_rank(reason)
        if self.pool.get(entity) == source.metrics[entity]:
            return self._standings[entity].tier
        return rank(self.pool | {entity: source.metrics[entity]}, self.ladder)[entity].tier

    @cached_property
    def _standings(self) -> dict[Entity, Standing]:
        """Everybody as they are."""
        return rank(self.pool, self.ladder)


class Causes:
    """All builds so far."""

    def __init__(self) -> None:
        """None yet."""
        self.builds: list[Build] = []
        self._parts: dict[tuple[str, date], dict[str, Evaluation]] = {}

    def see(self, world: World) -> None:
        """One more build that looks forward."""
        customers = world.customers
        self.builds.append(
            Build(
                world.as_of,
                world.configuration,
                {name: row.ultimate_parent_id for name, row in customers.items()},
                {name: row.vat_group_id for name, row in customers.items()},
            )
        )
        self.world = world
        self._parts = {}

    # What was recorded

    def rules_on(self, day: date) -> dict[str, Rules]:
        """The types in force on a day; of a family nothing was recorded about by then, what was recorded first."""
        found = {}
        for family in {row["family"] for build in self.builds for row in build.configuration.segment_types.values()}:
            spoken = [build for build in self.builds if self._of_family(build, family)]
            before = [build for build in self.builds if build.as_of <= day and build.as_of >= spoken[0].as_of]
            build = before[-1] if before else [one for one in spoken if one.as_of == spoken[0].as_of][-1]
            for name, row in self._of_family(build, family).items():
                if row["status"] in RECORDED and (metric_type := self._metric_type(name, family)):
                    found[name] = Rules(name, build, metric_type, bool(before))
        return found

    @staticmethod
    def _of_family(build: Build, family: str) -> dict[str, dict[str, Any]]:
        return {name: row for name, row in build.configuration.segment_types.items() if row["family"] == family}

    def _metric_type(self, name: str, family: str) -> str | None:
        """Under whose name the metric is evaluated now: its own, else that of the version in force."""
        now = self.world.configuration.segment_types
        if name in now:
            return name
        order = ["active", "challenger", "scenario"]
        family_now = [one for one, row in now.items() if row["family"] == family]
        return min(family_now, key=lambda one: (order.index(now[one]["status"]), -now[one]["version"], one), default=None)

    def predecessor(self, rules: Rules, day: date) -> Rules:
        """The version that was in force before."""
        before = self.rules_on(day)
        itself = before.get(rules.segment_type_id)
        if itself and (rules.cells["status"] == "challenger" or itself.cells["status"] == "active"):
            return itself
        if rules.cells["status"] == "active":
            family = rules.cells["family"]
            others = [one for one in before.values() if one.cells["family"] == family and one.cells["status"] == "active"]
            if others:
                return min(others, key=lambda one: (-one.cells["version"], one.segment_type_id))
        return itself or replace(rules, is_recorded=False)

    def owners(self, rules: Rules, day: date) -> tuple[Callable[[str], str], bool]:
        """Who a member belonged to on a day, and whether that had been recorded."""
        level = rules.cells["level"]
        first_day = self.builds[0].as_of

        def owner(member_id: str) -> str:
            if level == "customer":
                return member_id
            known = [build for build in self.builds if member_id in build.parents]
            before = [build for build in known if build.as_of <= day]
            build = before[-1] if before else [one for one in known if one.as_of == known[0].as_of][-1]
            if level == "vat":
                return build.vat_groups[member_id]
            if day < first_day:
                anchor = min(one for one in self.world.evaluation_dates if one >= first_day)
                then, later = (self.world.customers_on(one)[member_id].ultimate_parent_id for one in (day, anchor))
                if then != later:
                    return then
            return build.parents[member_id]

        return owner, day >= first_day

    # What moves

    def parts(self, metric_type_id: str, day: date) -> dict[str, Evaluation]:
        """What every member of a type brings on a day by itself."""
        key = metric_type_id, day
        if key not in self._parts:
            self._parts[key] = self.world.contributions(metric_type_id, day)
        return self._parts[key]

    def changes(self, segment_type_id: str, from_date: date, to_date: date) -> dict[str, Change]:
        """The members whom a step moved between two dates, under a type in force on the second."""
        new = self.rules_on(to_date)[segment_type_id]
        old = self.predecessor(new, from_date)
        parts = {
            side: self.parts(rules.metric_type_id, day)
            for side, rules, day in (("old", old, from_date), ("moved", new, from_date), ("new", new, to_date))
        }
        is_customer = new.cells["entity"] == "customer"
        internal = {name for name, row in self.world.customers.items() if is_customer and row.kind in ("internal", "test")}
        ownership = {"old": self.owners(old, from_date), "moved": self.owners(old, to_date), "new": self.owners(new, to_date)}

        def entities(side: str) -> dict[str, Entity]:
            owner = ownership[side][0] if is_customer else str
            return {one: Entity(one, True) if one in internal else Entity(owner(one)) for one in {**parts["old"], **parts["new"]}}

        owners = {side: entities(side) for side in ownership}
        old_overrides = self.world.overrides.get(old.segment_type_id, [])
        new_overrides = self.world.overrides.get(new.segment_type_id, [])

        def put_away(rules: Rules, overrides: list[Any], day: date) -> set[str]:
            tiers = {row.name for row in rules.build.configuration.tiers[rules.segment_type_id] if row.is_excluded}
            found = {row.entity_id for row in overrides if row.entity_id}
            rulings = {one: rule(overrides, one, day).set_row for one in found}
            return {one for one, row in rulings.items() if row and row.tier in tiers}

        away = put_away(old, old_overrides, from_date)
        start = Ranking(old, from_date, parts["old"], owners["old"], away)
        hierarchy = Ranking(old, from_date, parts["old"], owners["moved"], away)
        configuration = Ranking(new, from_date, parts["moved"], owners["new"], away)
        end = Ranking(new, to_date, parts["new"], owners["new"], put_away(new, new_overrides, to_date))
        held_old, held_new = self._held(old, from_date), self._held(new, to_date)

        def in_force(tier: str, rules: Rules, hold: str | None, overrides: list[Any], entity: Entity, day: date, decided_by: Rules) -> str:
            tier = hold or tier
            ruling = rule(overrides, entity.entity_id, day)
            if ruling.set_row:
                return ruling.set_row.tier
            if ruling.floor_row:
                floor = ruling.floor_row.tier
                floor_rank = rules.rank_of(floor) or decided_by.rank_of(floor)
                return floor if floor_rank < rules.rank_of(tier) else tier
            return tier

        cache: dict[tuple[Entity, Entity, Entity], tuple[str, ...]] = {}

        def tiers(first: Entity, moved: Entity, last: Entity) -> tuple[str, ...]:
            own = configuration.computed_tier(last, end)
            peers = end.computed_tier(last)
            before = (old_overrides, from_date, old)
            after = (new_overrides, to_date, new)

            def force(tier: str, rules: Rules, hold: dict[Entity, str], entity: Entity, decisions: tuple[Any, ...]) -> str:
                return in_force(tier, rules, hold.get(entity), decisions[0], entity, decisions[1], decisions[2])

            return (
                force(start.computed_tier(first), old, held_old, first, before),
                force(hierarchy.computed_tier(moved), old, held_old, moved, before),
                force(configuration.computed_tier(last), new, held_old, last, before),
                force(own, new, held_old, last, before),
                force(peers, new, held_old, last, before),
                force(peers, new, held_old, last, after),
                force(peers, new, held_new, last, after),
            )

        result = {}
        for member_id in parts["new"]:
            key = tuple(owners[side][member_id] for side in ("old", "moved", "new"))
            if key not in cache:
                cache[key] = tiers(*key)
            if len(set(cache[key])) > 1:
                first, _, last = key
                result[member_id] = Change(
                    cache[key],
                    first.entity_id,
                    last.entity_id,
                    old.segment_type_id,
                    old.is_recorded and new.is_recorded and ownership["old"][1] and ownership["new"][1],
                    (
                        start.metrics[first] if first in start.reasons else None,
                        configuration.metrics[last] if last in configuration.reasons else None,
                        end.metrics[last],
                    ),
                )
        return result

    def _held(self, rules: Rules, day: date) -> dict[Entity, str]:
        """R20: whom hysteresis held back, as evaluated today."""
        if not rules.cells["hysteresis_months"]:
            return {}
        evaluations = self.world.evaluations(rules.metric_type_id, day)
        return {
            entity: row.damped.applied
            for entity, row in evaluations.items()
            if row.damped and row.damped.applied != row.computed_tier
        }


# ---- The columns of audit.fct_tier_changes ----

Key = tuple[str, str, date]
CHANGE_COLUMNS = ["tier_start", *(f"tier_after_{step}" for step in STEPS[1:-1]), "tier_end"]


def found_changes(rows: Iterable[dict[str, Any]]) -> dict[Key, tuple[Any, ...]]:
    """The changes of the mart: steps, causes, entities and what was brought."""
    return {
        (row["segment_type_id"], row["member_id"], row["to_date"]): (
            tuple(row[column] for column in CHANGE_COLUMNS),
            row["causes"],
            *(row[column] for column in ("from_date", "old_entity_id", "new_entity_id", "old_segment_type_id", "is_recorded")),
            tuple(_in_cents(row[f"metric_amount_{moment}"]) for moment in ("start", "before", "end")),
        )
        for row in rows
    }


def recomputed_changes(
    causes: Causes, segment_type_id: str, from_date: date, to_date: date
) -> dict[Key, tuple[Any, ...]]:
    """The same, by ranking everybody anew for every single customer."""
    return {
        (segment_type_id, member_id, to_date): (
            change.tiers,
            change.causes,
            *(from_date, change.old_entity_id, change.new_entity_id, change.old_segment_type_id, change.is_recorded),
            tuple(None if amount is None else round_half_up(Fraction(amount)) for amount in change.metric_amounts),
        )
        for member_id, change in causes.changes(segment_type_id, from_date, to_date).items()
    }


def _in_cents(amount: Decimal | None) -> int | None:
    return None if amount is None else round_half_up(Fraction(amount) * 100)
