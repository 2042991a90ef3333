"""Master data: who buys, what is sold, who sells it. Struct-of-arrays, so a million customers stay small.

``source`` is 0 for erp_north and 1 for erp_south throughout; other codes are positions in the vocabulary's lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import vocabulary as words
from .columns import chunk, dates, decimals, ids, integers, joined, labels, timestamps
from .settings import Settings

# How a customer's business develops over the months of the run.
ESTABLISHED, GROWING, DECLINING, STARTED, NEWCOMER, NEVER_INVOICED, LAPSED = range(7)
LIFECYCLE_SHARES = [0.58, 0.10, 0.10, 0.09, 0.04, 0.05, 0.04]

TRADE, INTERNAL, TEST, UNSTATED = range(4)
KINDS = ["trade", "internal", "test"]
CREDIT_STATUSES = ["ok", "watch", "blocked"]

# How a CRM account can be matched to its ERP customer (R9).
NO_ACCOUNT, BY_REFERENCE, BY_VAT, BY_NAME, AMBIGUOUS_VAT, AMBIGUOUS_NAME = range(6)

# Sizes are lognormal; 1.68 puts about 80 % of sales with the largest 20 % of customers.
SIZE_SPREAD = 1.68
FREQUENCY_SPREAD = 1.0

ROWS_PER_CHUNK = 100_000
_VAT_SPAN, _VAT_STEP = 890_000_000, 387_420_487  # coprime, so that numbers never repeat by accident

VAT_PLACEHOLDERS = ["0", "N/A", "XXXXXXXXX", "000000000", "999999999", "12"]
TOO_SHORT = 5  # position in VAT_PLACEHOLDERS of a number with fewer than five digits


@dataclass
class Customers:
    """One entry per ERP customer; ``number`` is the native number within its source (they overlap between sources)."""

    source: np.ndarray
    number: np.ndarray
    lifecycle: np.ndarray
    start_month: np.ndarray
    stop_month: np.ndarray
    created_on: np.ndarray
    frequency: np.ndarray
    order_size: np.ndarray
    service_need: np.ndarray
    name: np.ndarray
    country: np.ndarray
    postal_code: np.ndarray
    city: np.ndarray
    industry: np.ndarray
    branch: np.ndarray
    sales_rep: np.ndarray
    payment_terms_days: np.ndarray
    payment_delay_days: np.ndarray
    credit_limit: np.ndarray
    credit_status: np.ndarray
    kind: np.ndarray
    is_active: np.ndarray
    currency: np.ndarray
    discount_permille: np.ndarray
    vat: np.ndarray
    vat_style: np.ndarray
    vat_placeholder: np.ndarray
    parent: np.ndarray
    orphan_parent: np.ndarray
    contract: np.ndarray
    account_match: np.ndarray
    account: np.ndarray
    account_parent: np.ndarray
    id_width: int = 5

    @property
    def count(self) -> int:
        """Number of customers."""
        return len(self.source)


@dataclass
class Products:
    """One entry per article of the shared catalogue. Both ERPs sell it, under different native numbers."""

    number: np.ndarray  # 2 x products: native number per source
    brand: np.ndarray
    category: np.ndarray
    subcategory: np.ndarray
    size: np.ndarray
    list_price: np.ndarray  # cents in euro
    unit_cost: np.ndarray  # cents in euro
    weight: np.ndarray  # grams
    launched_on: np.ndarray
    discontinued_on: np.ndarray  # 0 = still sold

    @property
    def count(self) -> int:
        """Number of articles; a multiple of 20."""
        return len(self.brand)


@dataclass
class MasterFault:
    """A fault that lies in master data: which customer (or account of a customer) shows it."""

    on_account: bool
    index: int
    fault: str
    rule: str
    outcome: str = "finding"


@dataclass
class Master:
    """Everything that does not grow with time."""

    customers: Customers
    products: Products
    reps_per_branch: int
    account_count: int
    unmatched_accounts: int
    faults: list[MasterFault] = field(default_factory=list)
    #: Ordinary established customers without any planted trait; planted documents are theirs.
    ordinary: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def _normal_scores(count: int) -> np.ndarray:
    """``count`` evenly spread quantiles of the standard normal distribution, so that the shape needs no luck."""
    grid = np.arange(1, 4096) / 4096
    table = np.array([NormalDist().inv_cdf(share) for share in grid])
    return np.interp((np.arange(count) + 0.5) / count, grid, table)


def _dealt(rng: np.random.Generator, count: int, shares: list[float]) -> np.ndarray:
    """Codes 0, 1, … in the given shares, exact up to rounding, in random order."""
    limits = np.round(np.cumsum(shares) * count)
    return rng.permutation(np.searchsorted(limits, np.arange(count), side="right").clip(max=len(shares) - 1))


def make_products(rng: np.random.Generator, settings: Settings) -> Products:
    """The catalogue: 100 articles for a small wholesaler, 6,000 for a million customers. Low positions sell most."""
    count = 20 * max(5, round(settings.customers**0.5 * 0.3))
    calendar = settings.calendar
    position = np.arange(count)
    list_price = np.round(np.exp(rng.normal(3.0, 1.0, count)).clip(1.5, 480) * 20) * 5
    launched_on = calendar.first_day - rng.integers(100, 3000, count)
    launched_in_run = position % 20 == 11
    launched_on[launched_in_run] = calendar.first_day + rng.integers(30, 300, count)[launched_in_run].clip(
        max=calendar.last_day - calendar.first_day - 30
    )
    span = calendar.last_day - calendar.first_day
    discontinued_on = np.where(position % 20 == 5, calendar.first_day + rng.integers(span // 3, span, count), 0)
    shuffled = rng.permutation(count) + 1
    return Products(
        number=np.stack([shuffled, count + 1 - shuffled]),
        brand=rng.choice(len(words.BRANDS), count, p=words.BRAND_WEIGHTS),
        category=position % len(words.CATEGORIES),
        subcategory=rng.integers(0, 3, count),
        size=rng.choice([10, 25, 50, 100, 250, 500], count),
        list_price=list_price.astype(np.int64),
        unit_cost=np.round(list_price * rng.uniform(0.48, 0.78, count)).astype(np.int64),
        weight=(list_price * rng.uniform(0.2, 1.6, count)).astype(np.int64).clip(50, 30_000),
        launched_on=launched_on,
        discontinued_on=discontinued_on,
    )


def _months_active(rng: np.random.Generator, lifecycle: np.ndarray, months: int) -> tuple[np.ndarray, np.ndarray]:
    """First month and month after the last one in which each customer may order."""
    count = len(lifecycle)
    draw = rng.random(count)
    start = np.zeros(count, dtype=np.int64)
    stop = np.full(count, months, dtype=np.int64)
    start = np.where(lifecycle == STARTED, 2 + (draw * (months - 5)).astype(np.int64), start)
    start = np.where(lifecycle == NEWCOMER, months - 1 - (draw * 2).astype(np.int64), start)
    stop = np.where(
        lifecycle == DECLINING, np.ceil(months * (0.55 + 0.6 * draw)).astype(np.int64).clip(max=months), stop
    )
    stop = np.where(lifecycle == LAPSED, 1 + (draw * months / 3).astype(np.int64), stop)
    stop = np.where(lifecycle == NEVER_INVOICED, 0, stop)
    return start, stop


def _created_on(rng: np.random.Generator, settings: Settings, lifecycle: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Days before the first possible order; some who never ordered were entered only weeks ago."""
    calendar = settings.calendar
    count = len(lifecycle)
    before_run = calendar.first_day - rng.integers(60, 3000, count)
    shortly_before_start = calendar.month_starts[start] - rng.integers(1, 25, count)
    recently = calendar.last_day - rng.integers(0, 60, count)
    created = np.where((lifecycle == STARTED) | (lifecycle == NEWCOMER), shortly_before_start, before_run)
    return np.where((lifecycle == NEVER_INVOICED) & (rng.random(count) < 0.6), recently, created)


def make_customers(rng: np.random.Generator, settings: Settings, reps_per_branch: int) -> Customers:
    """Customers as they would be without any relation between them."""
    count = settings.customers
    lifecycle = _dealt(rng, count, LIFECYCLE_SHARES)
    start, stop = _months_active(rng, lifecycle, settings.months)
    source = _dealt(rng, count, [0.6, 0.4])
    number = np.where(source == 0, np.cumsum(source == 0), np.cumsum(source == 1))
    total_score = rng.permutation(_normal_scores(count))
    tilt = rng.normal(0, 0.35, count)
    size_spread = SIZE_SPREAD - FREQUENCY_SPREAD
    country_draw = rng.random(count)
    country = np.where(
        source == 0,
        np.searchsorted(np.cumsum(words.COUNTRY_SHARES[0])[:-1], country_draw, side="right"),
        np.searchsorted(np.cumsum(words.COUNTRY_SHARES[1])[:-1], country_draw, side="right"),
    )
    branch_counts = np.array([len(branches) for branches in words.BRANCHES])
    branch = (rng.random(count) ** 1.3 * branch_counts[source]).astype(np.int64)
    currency = np.where(rng.random(count) < 0.06, 2, source)
    currency = np.where((source == 1) & (rng.random(count) < 0.04), 0, currency)
    vat_key = np.arange(1, count + 1, dtype=np.int64)
    vat = 100_000_000 + (vat_key * _VAT_STEP) % _VAT_SPAN
    gone = (lifecycle == LAPSED) | ((lifecycle == DECLINING) & (stop < settings.months - 3))
    return Customers(
        source=source,
        number=number,
        lifecycle=lifecycle,
        start_month=start,
        stop_month=stop,
        created_on=_created_on(rng, settings, lifecycle, start),
        frequency=np.exp(FREQUENCY_SPREAD * total_score + tilt),
        order_size=np.exp(size_spread * total_score - tilt),
        service_need=np.exp(rng.normal(0, 0.7, count)),
        name=np.arange(count, dtype=np.int64),
        country=country,
        postal_code=10_000 + rng.integers(0, 89_999, count),
        city=rng.integers(0, 18, count),
        industry=rng.integers(0, len(words.INDUSTRIES), count),
        branch=branch,
        sales_rep=branch * reps_per_branch + rng.integers(0, reps_per_branch, count),
        payment_terms_days=rng.choice([14, 30, 30, 30, 45, 60], count),
        payment_delay_days=rng.gamma(1.5, 6.0, count) - 5,
        credit_limit=(np.ceil(np.exp(SIZE_SPREAD * total_score) * 4) * 250_000).clip(max=10**11).astype(np.int64),
        credit_status=_dealt(rng, count, [0.92, 0.05, 0.03]),
        kind=np.where(rng.random(count) < 0.10, UNSTATED, TRADE),
        is_active=~(gone & (rng.random(count) < 0.8)),
        currency=currency,
        discount_permille=(40 + 25 * total_score + rng.normal(0, 20, count)).clip(0, 180).astype(np.int64) // 5 * 5,
        vat=np.where(rng.random(count) < 0.06, 0, vat),
        vat_style=rng.choice(4, count, p=[0.70, 0.10, 0.12, 0.08]),
        vat_placeholder=np.full(count, -1),
        parent=np.full(count, -1),
        orphan_parent=np.zeros(count, dtype=bool),
        contract=np.full(count, -1),
        account_match=np.full(count, NO_ACCOUNT),
        account=np.full(count, -1),
        account_parent=np.full(count, -1),
        id_width=max(5, len(str(count + count // 10))),
    )


class _Pool:
    """Customers without any planted trait; whoever is taken is not offered again."""

    def __init__(self, members: np.ndarray) -> None:
        """``members`` in the order they are handed out."""
        self._members = members

    def take(self, count: int, allowed: np.ndarray | None = None) -> np.ndarray:
        """Up to ``count`` members, optionally only those for whom ``allowed`` (per customer) holds."""
        candidates = self._members if allowed is None else self._members[allowed[self._members]]
        taken = candidates[:count]
        self._members = self._members[~np.isin(self._members, taken)]
        return taken

    def rest(self) -> np.ndarray:
        """Those nobody took."""
        return self._members


# Group sizes are dealt in this order; a chain of five and a tree of sixteen both have five levels.
_GROUP_SIZES = [5, 3, 8, 2, 16, 4, 2, 6]
_CHAINS = {5, 2}


def _group_ranks(member_count: int) -> tuple[np.ndarray, np.ndarray]:
    """For each member of consecutive groups: its rank in the group and its parent's rank (-1 for the top)."""
    ranks = np.concatenate([np.arange(size) for size in _GROUP_SIZES])
    in_chain = np.concatenate([np.full(size, size in _CHAINS) for size in _GROUP_SIZES])
    repeats = member_count // len(ranks) + 1
    rank = np.tile(ranks, repeats)[:member_count]
    parent_rank = np.where(np.tile(in_chain, repeats)[:member_count], rank - 1, (rank - 1) // 2)
    return rank, np.where(rank == 0, -1, parent_rank)


def _form_groups(rng: np.random.Generator, customers: Customers, pool: _Pool) -> np.ndarray:
    """Put about one customer in seven into groups of up to five levels; returns members without children."""
    leaves = []
    for source in (0, 1):
        in_source = customers.source == source
        members = pool.take(round(0.14 * np.count_nonzero(in_source)), in_source)
        rank, parent_rank = _group_ranks(len(members))
        tops = np.arange(len(members)) - rank
        parents = np.where(parent_rank >= 0, members[(tops + parent_rank).clip(min=0)], -1)
        customers.parent[members] = parents
        # Some daughters are not companies of their own: they share country and VAT number with the top.
        sharing = (rank == 1) & (rng.random(len(members)) < 0.6)
        for attribute in (customers.country, customers.vat, customers.vat_style):
            attribute[members[sharing]] = attribute[members[tops[sharing]]]
        leaves.append(members[(rank > 0) & ~np.isin(members, parents)])
    return np.concatenate(leaves)


def _share_across_sources(customers: Customers, pool: _Pool, pairs: int) -> None:
    """Companies that buy from both organisations: same name, country and VAT number in either ERP."""
    has_vat = customers.vat > 0
    north = pool.take(pairs, has_vat & (customers.source == 0))
    south = pool.take(len(north), has_vat & (customers.source == 1))
    for attribute in (customers.name, customers.country, customers.vat):
        attribute[south] = attribute[north[: len(south)]]


def _teams(customers: Customers, pool: _Pool, teams: int, size: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """``teams`` rows of ``size`` customers each, half of them from either source; fewer if the pool runs dry."""
    parts = []
    for source in (0, 1):
        usable = customers.source == source if allowed is None else allowed & (customers.source == source)
        taken = pool.take(size * ((teams + 1 - source) // 2), usable)
        parts.append(taken[: len(taken) // size * size].reshape(-1, size))
    return np.concatenate(parts)


def _noted(
    members: np.ndarray, fault: str, rule: str, outcome: str = "finding", on_account: bool = False
) -> list[MasterFault]:
    """The same fault for each of some customers, or for their accounts."""
    return [MasterFault(on_account, int(index), fault, rule, outcome) for index in members.ravel()]


def _plant_hierarchy_faults(customers: Customers, pool: _Pool, count: int) -> list[MasterFault]:
    """Cycles of two and three, parents that do not exist, and a child below each longer cycle and each orphan."""
    pairs, rings, orphans = (_teams(customers, pool, count, size) for size in (2, 4, 2))
    customers.parent[pairs] = pairs[:, ::-1]
    customers.parent[rings] = rings[:, [1, 2, 0, 0]]  # the fourth hangs below the ring
    customers.orphan_parent[orphans[:, 0]] = True
    customers.parent[orphans[:, 1]] = orphans[:, 0]
    return [
        *_noted(pairs, "parents_form_a_cycle", "parent_cycle"),
        *_noted(rings[:, :3], "parents_form_a_cycle", "parent_cycle"),
        *_noted(rings[:, 3], "parent_lies_in_a_cycle", "parent_below_cycle"),
        *_noted(orphans[:, 0], "parent_does_not_exist", "parent_orphan"),
        *_noted(orphans[:, 1], "parent_is_an_orphan", "parent_below_orphan"),
    ]


def _plant_parent_faults(customers: Customers, pool: _Pool, leaves: np.ndarray, count: int) -> list[MasterFault]:
    """Accounts whose parent differs from the ERP's, and accounts that name a parent where the ERP is silent."""
    referenced = customers.account_match == BY_REFERENCE
    children = []
    for source in (0, 1):
        candidates = leaves[referenced[leaves] & (customers.source[leaves] == source)][: (count + 1 - source) // 2]
        parents = pool.take(len(candidates), referenced & (customers.source == source))
        customers.account_parent[candidates[: len(parents)]] = parents
        children.append(candidates[: len(parents)])
    known_to_crm = _teams(customers, pool, count, 2, referenced)
    customers.account_parent[known_to_crm[:, 0]] = known_to_crm[:, 1]
    return [
        *_noted(np.concatenate(children), "crm_names_another_parent", "parent_disagreement"),
        *_noted(known_to_crm[:, 0], "parent_known_to_crm_only", "", "none"),
    ]


def _plant_vat_faults(customers: Customers, pool: _Pool, count: int) -> list[MasterFault]:
    """Placeholders and too short numbers in the ERP; a few in CRM accounts that are matched by reference."""
    faults = []
    for placeholder in range(len(VAT_PLACEHOLDERS)):
        holders = pool.take(count)
        customers.vat_placeholder[holders] = placeholder
        customers.vat[holders] = 0
        customers.account_match[holders] = np.where(
            customers.account_match[holders] == BY_VAT, BY_REFERENCE, customers.account_match[holders]
        )
        fault = "vat_number_too_short" if placeholder == TOO_SHORT else "vat_number_is_a_placeholder"
        # The CRM shows the same placeholder: a match by VAT number would join strangers.
        with_account = holders[customers.account_match[holders] == BY_REFERENCE]
        faults += _noted(holders, fault, "vat_number_placeholder")
        faults += _noted(with_account, fault, "vat_number_placeholder", on_account=True)
    return faults


def _deal_accounts(rng: np.random.Generator, customers: Customers) -> None:
    """Most customers have a CRM account, and most accounts say which customer they are."""
    match = rng.choice([NO_ACCOUNT, BY_REFERENCE, BY_VAT, BY_NAME], customers.count, p=[0.10, 0.78, 0.06, 0.06])
    _, position, shared = np.unique(customers.vat, return_inverse=True, return_counts=True)
    unusable = (customers.vat == 0) | (shared[position] > 1)
    match[(match == BY_VAT) & unusable] = BY_REFERENCE
    _, position, shared = np.unique(customers.name, return_inverse=True, return_counts=True)
    match[(match == BY_NAME) & (shared[position] > 1)] = BY_REFERENCE
    customers.account_match[:] = match


def _plant_ambiguous_accounts(customers: Customers, pool: _Pool, count: int) -> list[MasterFault]:
    """Two accounts for each of two customers: same VAT number, or same name, country and postal code without one."""
    first, second = _teams(customers, pool, count, 2, customers.vat > 0).T
    for attribute in (customers.country, customers.vat):
        attribute[second] = attribute[first]
    customers.account_match[first] = customers.account_match[second] = AMBIGUOUS_VAT
    both = np.concatenate([first, second])
    faults = _noted(both, "vat_number_fits_two_accounts", "account_match_ambiguous", on_account=True)
    first, second = _teams(customers, pool, count, 2).T
    for attribute in (customers.name, customers.country, customers.postal_code, customers.city):
        attribute[second] = attribute[first]
    customers.vat[first] = customers.vat[second] = 0
    customers.account_match[first] = customers.account_match[second] = AMBIGUOUS_NAME
    both = np.concatenate([first, second])
    return faults + _noted(both, "name_and_place_fit_two_accounts", "account_match_ambiguous", on_account=True)


def _number_accounts(rng: np.random.Generator, customers: Customers, silent: np.ndarray) -> int:
    """Give accounts their numbers and parents; returns how many accounts customers have.

    The CRM says nothing about the parents of ``silent`` customers, whose ERP hierarchy is broken.
    """
    holders = np.flatnonzero(customers.account_match != NO_ACCOUNT)
    customers.account[holders] = rng.permutation(len(holders)) + 1
    referenced = customers.account_match == BY_REFERENCE
    has_parent = (customers.parent >= 0) & (customers.account_parent < 0) & referenced
    children = np.flatnonzero(has_parent & referenced[customers.parent] & (rng.random(customers.count) < 0.7))
    customers.account_parent[children] = customers.parent[children]
    customers.account_parent[silent] = -1
    return len(holders)


def make_master(rng: np.random.Generator, settings: Settings) -> Master:
    """All master data, with relations between customers and, if asked for, planted faults."""
    reps_per_branch = int(np.clip(3 + settings.customers // 3000, 3, 30))
    products = make_products(rng, settings)
    customers = make_customers(rng, settings, reps_per_branch)
    steady = np.isin(customers.lifecycle, [ESTABLISHED, GROWING])
    pool = _Pool(rng.permutation(np.flatnonzero(steady)))
    customers.kind[pool.take(max(2, settings.customers // 150))] = INTERNAL
    customers.kind[pool.take(max(2, settings.customers // 200))] = TEST
    leaves = _form_groups(rng, customers, pool)
    _share_across_sources(customers, pool, max(3, round(0.015 * settings.customers)))
    _deal_accounts(rng, customers)
    faults = []
    if settings.plant_dirt:
        count = settings.hierarchy_faults
        faults += _plant_hierarchy_faults(customers, pool, count)
        faults += _plant_vat_faults(customers, pool, max(1, count // 3))
        faults += _plant_ambiguous_accounts(customers, pool, count)
        faults += _plant_parent_faults(customers, pool, leaves, count)
    broken = {"parent_cycle", "parent_below_cycle", "parent_orphan", "parent_below_orphan"}
    silent = np.array([fault.index for fault in faults if fault.rule in broken], dtype=np.int64)
    account_count = _number_accounts(rng, customers, silent)
    _sign_contracts(rng, customers)
    return Master(
        customers=customers,
        products=products,
        reps_per_branch=reps_per_branch,
        account_count=account_count,
        unmatched_accounts=max(3, settings.customers // 20),
        faults=faults,
        ordinary=pool.rest(),
    )


def _sign_contracts(rng: np.random.Generator, customers: Customers) -> None:
    """About one in eight of the larger, steady customers has a contract for each calendar year."""
    steady = np.isin(customers.lifecycle, [ESTABLISHED, GROWING]) & np.isin(customers.kind, [TRADE, UNSTATED])
    sales_weight = customers.frequency * customers.order_size
    large = steady & (sales_weight > np.quantile(sales_weight, 0.75))
    signed = np.flatnonzero(large & (rng.random(customers.count) < 0.5))
    customers.contract[signed] = np.arange(len(signed))


# --- as tables ------------------------------------------------------------------------------------------------


def customer_ids(customers: Customers, index: np.ndarray) -> pa.Array:
    """Native customer ids; an index of -1 gives null."""
    missing = index < 0
    return ids("C", customers.number[index], customers.id_width, missing if missing.any() else None)


def account_ids(numbers: np.ndarray, customers: Customers) -> pa.Array:
    """CRM account ids; a number of -1 gives null."""
    missing = numbers < 0
    return ids("A", numbers.clip(min=0), customers.id_width, missing if missing.any() else None)


def consignee_codes(customers: Customers, index: np.ndarray) -> pa.Array:
    """The 3PL's own code of a customer, unique over both ERPs."""
    return ids("K", index + 1, customers.id_width)


def contract_id_width(master: Master) -> int:
    """Digits of a contract id."""
    return max(5, len(str(master.customers.count)) + 1)


def product_labels(master: Master, source: np.ndarray, product: np.ndarray) -> pa.DictionaryArray:
    """Native product ids; the same article has another number in each ERP."""
    width = max(4, len(str(master.products.count)))
    vocabulary = ids("P", np.arange(1, master.products.count + 1), width)
    return labels(vocabulary, master.products.number[source, product] - 1)


def branch_labels(branch: np.ndarray) -> pa.DictionaryArray:
    """Native branch ids, ``B01`` …, which overlap between the ERPs."""
    longest = max(len(branches) for branches in words.BRANCHES)
    return labels([f"B{number:02d}" for number in range(1, longest + 1)], branch)


def rep_labels(master: Master, rep: np.ndarray, missing: np.ndarray | None = None) -> pa.DictionaryArray:
    """Native sales representative ids, ``R001`` …, which overlap between the ERPs."""
    longest = max(len(branches) for branches in words.BRANCHES) * master.reps_per_branch
    return labels([f"R{number:03d}" for number in range(1, longest + 1)], rep, missing)


def source_labels(source: np.ndarray) -> pa.DictionaryArray:
    """``erp_north`` and ``erp_south``."""
    return labels(words.SOURCES, source)


def company_names(name: np.ndarray, country: np.ndarray) -> pa.Array:
    """Distinct invented names: a word, a trade and the country's legal form; a counter after 345,600 names."""
    beginnings, middles, endings = len(words.NAME_BEGINNINGS), len(words.NAME_MIDDLES), len(words.NAME_ENDINGS)
    distinct = beginnings * middles * endings * len(words.TRADES)
    scattered = (name * 104_729) % distinct  # a prime step visits every combination once
    rest, trade = np.divmod(scattered, len(words.TRADES))
    rest, ending = np.divmod(rest, endings)
    beginning, middle = np.divmod(rest, middles)
    series = name // distinct
    series_words = [""] + [f" {number}" for number in range(2, int(series.max(initial=0)) + 2)]
    return joined(
        labels(words.NAME_BEGINNINGS, beginning),
        labels(words.NAME_MIDDLES, middle),
        labels(words.NAME_ENDINGS, ending),
        " ",
        labels(words.TRADES, trade),
        labels(series_words, series),
        " ",
        labels(words.LEGAL_FORMS, country),
    )


def vat_numbers(vat: np.ndarray, country: np.ndarray, style: np.ndarray) -> pa.Array:
    """VAT numbers as people type them; 0 gives null.

    Styles: 0 ``DE123456789``, 1 without country prefix, 2 ``DE 123.456.789``, 3 in lower case. Normalised
    (R8) all four are the same.
    """
    missing = vat == 0
    begin, middle, end = (ids("", vat // 10**power % 1000, 3) for power in (6, 3, 0))
    prefixes = labels(
        [*words.COUNTRIES, "", *[f"{country} " for country in words.COUNTRIES]],
        np.where(style == 1, 6, np.where(style == 2, country + 7, country)),
    )
    leads = labels(["", "", "40", "0", "5", ""], country)
    tails = labels(["", "B01", "", "", "", ""], country)
    dots = labels(["", "."], (style == 2).astype(np.int32))
    number = joined(prefixes, leads, begin, dots, middle, dots, end, tails)
    number = pc.if_else(pa.array(style == 3), pc.utf8_lower(number), number)
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), number)


def _vat_column(customers: Customers, rows: np.ndarray, style: np.ndarray) -> pa.Array:
    """VAT numbers with the planted placeholders in their place."""
    placeholder = customers.vat_placeholder[rows]
    shown = labels(VAT_PLACEHOLDERS, placeholder.clip(min=0)).dictionary_decode()
    numbers = vat_numbers(customers.vat[rows], customers.country[rows], style)
    return pc.if_else(pa.array(placeholder >= 0), shown, numbers)


def _slices(count: int) -> Iterator[np.ndarray]:
    """Row numbers 0 … count - 1 in chunks."""
    for first in range(0, count, ROWS_PER_CHUNK):
        yield np.arange(first, min(first + ROWS_PER_CHUNK, count))


def customer_chunks(master: Master, settings: Settings) -> Iterator[pa.Table]:
    """``erp.customers``. Orphans name a parent number that no customer has."""
    customers, calendar = master.customers, settings.calendar
    cities = [
        beginning + ending
        for country in range(len(words.COUNTRIES))
        for beginning in words.CITY_BEGINNINGS[country]
        for ending in words.CITY_ENDINGS[country]
    ]
    regions = [f"{country} {region}" for country in words.COUNTRIES for region in words.REGIONS]
    unknown_parent = int(customers.number.max()) + 500
    for rows in _slices(customers.count):
        parent = customers.parent[rows]
        orphan = customers.orphan_parent[rows]
        parent_number = np.where(orphan, unknown_parent, customers.number[parent])
        city = customers.country[rows] * 18 + customers.city[rows]
        landed = np.maximum(customers.created_on[rows], calendar.first_day - 32)
        yield chunk(
            "erp.customers",
            {
                "customer_id": customer_ids(customers, rows),
                "name": company_names(customers.name[rows], customers.country[rows]),
                "vat_number": _vat_column(customers, rows, customers.vat_style[rows]),
                "parent_customer_id": ids("C", parent_number, customers.id_width, (parent < 0) & ~orphan),
                "country": labels(words.COUNTRIES, customers.country[rows]),
                "region": labels(regions, city // 6),
                "city": labels(cities, city),
                "postal_code": ids("", customers.postal_code[rows], 5),
                "industry": labels(words.INDUSTRIES, customers.industry[rows]),
                "branch_id": branch_labels(customers.branch[rows]),
                "sales_rep_id": rep_labels(master, customers.sales_rep[rows]),
                "payment_terms_days": integers(customers.payment_terms_days[rows]),
                "credit_limit": decimals(customers.credit_limit[rows]),
                "credit_status": labels(CREDIT_STATUSES, customers.credit_status[rows]),
                "customer_kind": labels(KINDS, customers.kind[rows] % UNSTATED, customers.kind[rows] == UNSTATED),
                "created_on": dates(customers.created_on[rows]),
                "is_active": pa.array(customers.is_active[rows]),
                "source_system": source_labels(customers.source[rows]),
                "loaded_at": timestamps(calendar.landed(landed)),
            },
        )


def product_chunk(master: Master, settings: Settings) -> pa.Table:
    """``erp.products``: the catalogue once per ERP, priced in its currency."""
    products, calendar = master.products, settings.calendar
    source = np.repeat([0, 1], products.count)
    product = np.tile(np.arange(products.count), 2)
    order = np.lexsort((products.number[source, product], source))
    source, product = source[order], product[order]
    factor = np.where(source == 1, 0.86, 1.0)
    category = products.category[product]
    kinds = [kind for members in words.CATEGORIES.values() for kind in members]
    kind = labels(kinds, category * 3 + products.subcategory[product])
    brand = labels(words.BRANDS, products.brand[product])
    sizes = pa.array([str(size) for size in products.size[product]])
    launched = products.launched_on[product]
    discontinued = products.discontinued_on[product]
    landed = np.maximum(launched, calendar.first_day - 32)
    return chunk(
        "erp.products",
        {
            "product_id": product_labels(master, source, product).dictionary_decode(),
            "name": joined(brand, " ", kind, " ", sizes),
            "brand": brand,
            "category": labels(list(words.CATEGORIES), category),
            "subcategory": kind,
            "unit_cost": decimals(np.round(products.unit_cost[product] * factor)),
            "list_price": decimals(np.round(products.list_price[product] * factor)),
            "launched_on": dates(launched),
            "discontinued_on": dates(discontinued, discontinued == 0),
            "source_system": source_labels(source),
            "loaded_at": timestamps(calendar.landed(landed)),
        },
    )


def branch_chunk(settings: Settings) -> pa.Table:
    """``erp.branches``: four in the north, three in the south."""
    rows = [(source, number, *branch) for source in (0, 1) for number, branch in enumerate(words.BRANCHES[source])]
    source = np.array([row[0] for row in rows])
    return chunk(
        "erp.branches",
        {
            "branch_id": branch_labels(np.array([row[1] for row in rows])).dictionary_decode(),
            "name": pa.array([row[2] for row in rows]),
            "region": pa.array([row[3] for row in rows]).dictionary_encode(),
            "country": pa.array([row[4] for row in rows]).dictionary_encode(),
            "source_system": source_labels(source),
            "loaded_at": timestamps(settings.calendar.landed(np.full(len(rows), settings.calendar.first_day - 32))),
        },
    )


def rep_chunk(master: Master, settings: Settings) -> pa.Table:
    """``erp.sales_reps``: the first of each branch leads the others and reports to the first of all."""
    counts = [len(branches) * master.reps_per_branch for branches in words.BRANCHES]
    source = np.repeat([0, 1], counts)
    rep = np.concatenate([np.arange(count) for count in counts])
    leads = rep % master.reps_per_branch == 0
    manager = np.where(leads, 0, rep - rep % master.reps_per_branch)
    person = np.arange(len(rep))
    last_name = (person * 7 + person // len(words.LAST_NAMES)) % len(words.LAST_NAMES)
    return chunk(
        "erp.sales_reps",
        {
            "sales_rep_id": rep_labels(master, rep).dictionary_decode(),
            "name": joined(
                labels(words.FIRST_NAMES, person % len(words.FIRST_NAMES)), " ", labels(words.LAST_NAMES, last_name)
            ),
            "branch_id": branch_labels(rep // master.reps_per_branch),
            "manager_id": rep_labels(master, manager, rep == 0).dictionary_decode(),
            "source_system": source_labels(source),
            "loaded_at": timestamps(settings.calendar.landed(np.full(len(rep), settings.calendar.first_day - 32))),
        },
    )


def account_chunks(master: Master, settings: Settings) -> Iterator[pa.Table]:
    """``crm.accounts``: those of customers, then companies that are no customers."""
    customers = master.customers
    holders = np.flatnonzero(customers.account > 0)
    holders = holders[np.argsort(customers.account[holders])]
    for part in _slices(len(holders)):
        yield _accounts_of_customers(master, settings, holders[part])
    yield _accounts_of_strangers(master, settings)


def owner_labels(numbers: np.ndarray) -> pa.DictionaryArray:
    """CRM users who own accounts, ``U01`` … ``U30``."""
    return labels([f"U{number:02d}" for number in range(1, 31)], (numbers * 17) % 30)


def _accounts_of_customers(master: Master, settings: Settings, rows: np.ndarray) -> pa.Table:
    """Accounts of the given customers, with as much identification as their kind of match allows."""
    customers, calendar = master.customers, settings.calendar
    match, number = customers.account_match[rows], customers.account[rows]
    referenced = match == BY_REFERENCE
    name = company_names(customers.name[rows], customers.country[rows])
    name = pc.if_else(pa.array(number % 3 == 0), pc.utf8_upper(name), name)
    has_vat = np.isin(match, [BY_VAT, AMBIGUOUS_VAT]) | (referenced & (number % 4 > 0))
    vat = _vat_column(customers, rows, (number % 3) * (match != AMBIGUOUS_VAT))
    parent = customers.account_parent[rows]
    parent_account = np.where(parent >= 0, customers.account[parent], -1)
    landed = np.maximum(customers.created_on[rows], calendar.first_day - 32)
    # A placeholder is always shown: it is what tempts a matcher.
    shown = has_vat | (referenced & (customers.vat_placeholder[rows] >= 0))
    return chunk(
        "crm.accounts",
        {
            "account_id": account_ids(number, customers),
            "name": name,
            "vat_number": pc.if_else(pa.array(shown), vat, pa.scalar(None, pa.string())),
            "parent_account_id": account_ids(parent_account, customers),
            "erp_source_system": labels(words.SOURCES, customers.source[rows], ~referenced),
            "erp_customer_id": customer_ids(customers, np.where(referenced, rows, -1)),
            "country": labels(words.COUNTRIES, customers.country[rows]),
            "postal_code": ids("", customers.postal_code[rows], 5),
            "industry": labels(words.INDUSTRIES, customers.industry[rows]),
            "employee_count": integers((customers.order_size[rows] * 20).astype(np.int64) + 3),
            "owner_id": owner_labels(number),
            "source_system": labels(["crm"], np.zeros(len(rows))),
            "loaded_at": timestamps(calendar.landed(landed)),
        },
    )


def _accounts_of_strangers(master: Master, settings: Settings) -> pa.Table:
    """Prospects the ERP does not know; names and VAT numbers continue after those of the customers."""
    count = master.unmatched_accounts
    position = np.arange(count)
    number = master.account_count + 1 + position
    country = position % len(words.COUNTRIES)
    vat = 100_000_000 + ((master.customers.count + 1 + position) * _VAT_STEP) % _VAT_SPAN
    nothing = np.ones(count, dtype=bool)
    zeros = np.zeros(count, dtype=np.int64)
    return chunk(
        "crm.accounts",
        {
            "account_id": account_ids(number, master.customers),
            "name": company_names(master.customers.count + position, country),
            "vat_number": vat_numbers(np.where(position % 2 == 0, vat, 0), country, zeros),
            "parent_account_id": account_ids(zeros - 1, master.customers),
            "erp_source_system": labels(words.SOURCES, zeros, nothing),
            "erp_customer_id": ids("C", zeros, master.customers.id_width, nothing),
            "country": labels(words.COUNTRIES, country),
            "postal_code": ids("", 10_000 + position * 7919 % 89_999, 5),
            "industry": labels(words.INDUSTRIES, position % len(words.INDUSTRIES)),
            "employee_count": integers(5 + position * 37 % 400),
            "owner_id": owner_labels(number),
            "source_system": labels(["crm"], zeros),
            "loaded_at": timestamps(settings.calendar.landed(settings.calendar.first_day + position % 30)),
        },
    )
