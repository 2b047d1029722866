"""What the specification forbids, looked for before and while a shard is read.

Each module raises the first broken rule it finds, by the rule's id (`spec/rules.md`).
"""
