"""Raw folders into the schemas erp, crm and tpl of a server; DuckDB needs none of it, for it reads the folder itself."""
