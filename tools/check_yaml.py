"""Refuse YAML that dbt would ignore.

dbt on DuckDB, PostgreSQL and Spark reads past a key it does not know, so a misspelt test tests nothing. This check
holds every property file and dbt_project.yml against the JSON schemas that dbt ships, and exits with 1 and one line
per fault (file, place, fault) where anything does not fit.
"""

import json
import sys
from pathlib import Path

import dbt.jsonschemas
import yaml
from jsonschema.validators import validator_for

PROJECT = Path(__file__).resolve().parent.parent
SCHEMAS = Path(dbt.jsonschemas.__file__).parent
FOLDERS = ["models", "macros", "seeds", "snapshots", "tests", "analyses"]


def faults(path: Path, kind: str) -> list[str]:
    """The faults of one file against the schema `kind` (resources or project), each as one line."""
    schema = json.loads((SCHEMAS / kind / "latest.json").read_text())
    content = yaml.safe_load(path.read_text())
    return [
        f"{path.relative_to(PROJECT)}: {'.'.join(str(step) for step in _innermost(error).absolute_path)}: {_innermost(error).message[:300]}"
        for error in validator_for(schema)(schema).iter_errors(content)
    ]


def _innermost(error):
    """Where a schema offers alternatives, the fault inside the one that fits best says more than "none fits"."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def main() -> int:
    found = faults(PROJECT / "dbt_project.yml", "project")
    for folder in FOLDERS:
        for path in sorted((PROJECT / folder).rglob("*.yml")):
            found.extend(faults(path, "resources"))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
