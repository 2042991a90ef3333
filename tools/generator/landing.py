"""Writing chunks as they come: one open file per table, nothing kept in memory."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from .columns import as_text, quantities_as_decimals
from .contract import TABLES, Table

#: A row as the text of its cells; ``None`` is null.
TextRow = dict[str, str | None]

_CSV_OPTIONS = arrow_csv.WriteOptions(include_header=False, quoting_style="none")


def _text_lines(rows: list[TextRow], columns: list[str]) -> str:
    """CSV lines of text rows; a comma inside a cell is quoted, null is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([row[column] for column in columns] for row in rows)
    return buffer.getvalue()


class CsvFile:
    """One table as ISO text: point as decimal mark, empty = null, one header line."""

    def __init__(self, path: Path, table: Table) -> None:
        """Create the file and write its header."""
        self._columns = table.column_names
        self._file = path.open("wb")
        self._file.write((",".join(self._columns) + "\n").encode())

    def write(self, chunk: pa.Table) -> None:
        """Append typed rows."""
        arrow_csv.write_csv(as_text(chunk), self._file, _CSV_OPTIONS)

    def write_text(self, rows: list[TextRow]) -> None:
        """Append rows that are already text, whatever they hold."""
        self._file.write(_text_lines(rows, self._columns).encode())

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetFile:
    """One table as typed Parquet, a row group per chunk."""

    def __init__(self, path: Path, table: Table) -> None:
        """Create the file; labels and quantities get their plain types."""
        self._table = table
        fields = [
            pa.field(name, pa.decimal128(18, 3)) if kind == "quantity" else table.arrow_schema.field(name)
            for name, kind in table.columns.items()
        ]
        self._schema = pa.schema(fields)
        # Without the Arrow schema a label reads back as a plain string; decimals as integers read faster.
        self._writer = parquet.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            compression_level=1,
            store_schema=False,
            store_decimal_as_integer=True,
            use_dictionary=[name for name, kind in table.columns.items() if kind in ("label", "timestamp", "date")],
        )

    def write(self, chunk: pa.Table) -> None:
        """Append typed rows."""
        for name, kind in self._table.columns.items():
            if kind == "quantity":
                position = chunk.schema.get_field_index(name)
                column = quantities_as_decimals(chunk.column(name).combine_chunks())
                chunk = chunk.set_column(position, self._schema.field(name), column)
        self._writer.write_table(chunk)

    def write_text(self, rows: list[TextRow]) -> None:
        """Append rows given as text, cast to the column types."""
        columns = []
        for name in self._table.columns:
            column = pa.array([row[name] for row in rows], pa.string())
            target = self._schema.field(name).type
            columns.append(column.dictionary_encode() if pa.types.is_dictionary(target) else column.cast(target))
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


class Landing:
    """A folder ``erp/ crm/ tpl/`` of ``<table>.csv`` or ``<table>.parquet``; a context manager.

    One thread writes while the next chunk is made. It takes the chunks in order, so the bytes stay the same, and
    only a few may wait, so memory stays bounded.
    """

    _WAITING_CHUNKS = 4

    def __init__(self, folder: Path, file_format: str, table_names: list[str]) -> None:
        """Open every table, so that a table without rows is still there with its columns."""
        kind = {"csv": CsvFile, "parquet": ParquetFile}[file_format]
        self.row_counts = dict.fromkeys(table_names, 0)
        self._files = {}
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._waiting: deque[Future[None]] = deque()
        for name in table_names:
            path = folder / (name.replace(".", "/") + "." + file_format)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files[name] = kind(path, TABLES[name])

    def write(self, table_name: str, chunk: pa.Table) -> None:
        """Append a typed chunk; an empty one leaves no trace."""
        if chunk.num_rows:
            self._submit(self._files[table_name].write, chunk)
            self.row_counts[table_name] += chunk.num_rows

    def write_text(self, table_name: str, rows: list[TextRow]) -> None:
        """Append rows given as text."""
        if rows:
            self._submit(self._files[table_name].write_text, rows)
            self.row_counts[table_name] += len(rows)

    def _submit(self, write: Callable[[Any], None], rows: Any) -> None:
        """Queue a write, and raise what an earlier one ran into."""
        while len(self._waiting) >= self._WAITING_CHUNKS:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(write, rows))

    def __enter__(self) -> Landing:
        """Nothing to prepare."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish every file; a failed write is an error unless there already is one."""
        self._thread.shutdown(cancel_futures=kind is not None)
        for file in self._files.values():
            file.close()
        while kind is None and self._waiting:
            self._waiting.popleft().result()
