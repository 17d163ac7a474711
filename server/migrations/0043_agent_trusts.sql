-- Which authorities an agent says that it trusts: SHA-256 of each in hexadecimal digits, sorted, with commas.
ALTER TABLE agent ADD COLUMN trusts TEXT;
