"""Python tooling around the dbt project."""
