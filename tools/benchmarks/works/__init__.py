"""One module for each group of rows: `rows(bench)` makes its data, takes turns and returns rows."""
