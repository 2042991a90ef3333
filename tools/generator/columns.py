"""Arrow columns from numpy arrays without a Python loop over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .contract import TABLES


def _validity(missing: np.ndarray | None) -> pa.Buffer | None:
    """Arrow's null bitmap for a boolean array that is true where a value is missing."""
    return None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))


def ids(prefix: str | np.ndarray, numbers: np.ndarray, width: int, missing: np.ndarray | None = None) -> pa.Array:
    """Fixed-width ids such as ``C00012``.

    ``prefix`` is a text for all rows, or one byte (its code) per row; ``width`` is the number of digits.
    """
    count = len(numbers)
    letters = len(prefix) if isinstance(prefix, str) else 1
    characters = np.empty((count, letters + width), dtype=np.uint8)
    if isinstance(prefix, str):
        characters[:, :letters] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    else:
        characters[:, 0] = prefix
    rest = numbers.astype(np.uint32)
    for position in range(letters + width - 1, letters - 1, -1):
        rest, digit = np.divmod(rest, np.uint32(10))
        characters[:, position] = digit + 48
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(letters + width)
    buffers = [_validity(missing), pa.py_buffer(offsets), pa.py_buffer(characters)]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def decimals(values: np.ndarray, missing: np.ndarray | None = None, kind: str = "money") -> pa.Array:
    """Exact decimals from integers in the smallest unit (cents for money, millionths for rates, grams for weights)."""
    halves = np.empty((len(values), 2), dtype=np.int64)
    halves[:, 0] = values
    halves[:, 1] = halves[:, 0] >> 63
    data_type = {"money": pa.decimal128(18, 2), "rate": pa.decimal128(18, 6), "weight": pa.decimal128(18, 3)}[kind]
    return pa.Array.from_buffers(data_type, len(values), [_validity(missing), pa.py_buffer(halves)])


def quantities_as_decimals(values: pa.Array) -> pa.Array:
    """Whole quantities as decimal(18, 3), keeping nulls; the form Parquet gets."""
    numbers = np.asarray(values.fill_null(0)).astype(np.int64) * 1000
    missing = np.asarray(values.is_null()) if values.null_count else None
    return decimals(numbers, missing, "weight")


def dates(days: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Dates from days since 1970-01-01."""
    buffer = pa.py_buffer(np.ascontiguousarray(days, dtype=np.int32))
    return pa.Array.from_buffers(pa.date32(), len(days), [_validity(missing), buffer])


def timestamps(microseconds: np.ndarray) -> pa.Array:
    """UTC timestamps without zone from microseconds since 1970-01-01."""
    buffer = pa.py_buffer(np.ascontiguousarray(microseconds, dtype=np.int64))
    return pa.Array.from_buffers(pa.timestamp("us"), len(microseconds), [None, buffer])


def integers(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """64-bit integers."""
    buffer = pa.py_buffer(np.ascontiguousarray(values, dtype=np.int64))
    return pa.Array.from_buffers(pa.int64(), len(values), [_validity(missing), buffer])


def labels(words: Sequence[str] | pa.Array, codes: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """A column with few values: ``codes`` are positions in ``words``."""
    buffer = pa.py_buffer(np.ascontiguousarray(codes, dtype=np.int32))
    positions = pa.Array.from_buffers(pa.int32(), len(codes), [_validity(missing), buffer])
    vocabulary = words if isinstance(words, pa.Array) else pa.array(list(words), pa.string())
    return pa.DictionaryArray.from_arrays(positions, vocabulary)


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row."""
    plain = [part.dictionary_decode() if isinstance(part, pa.DictionaryArray) else part for part in parts]
    return pc.binary_join_element_wise(*plain, "")


def chunk(table_name: str, columns: dict[str, pa.Array]) -> pa.Table:
    """The columns in contract order; a missing or surplus column is an error."""
    return pa.Table.from_pydict(columns, schema=TABLES[table_name].arrow_schema).select(TABLES[table_name].column_names)


def as_text(table: pa.Table) -> pa.Table:
    """Every column as the text a CSV file shows; null stays null."""
    # Landings happen at whole seconds; microseconds would only make files longer.
    whole = [
        column.cast(pa.timestamp("s")) if pa.types.is_timestamp(column.type) else column for column in table.columns
    ]
    return pa.table([column.cast(pa.string()) for column in whole], names=table.column_names)
