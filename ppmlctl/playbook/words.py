"""The keys of playbooks, by what they stand in."""

from __future__ import annotations

SHARED_KEYS = ("when", "vars", "needs", "tags")
"""What a task, a block, an import and a whole file can say: a task for itself, the others for all that is inside."""
TASK_KEYS = ("name", "title", "when", "register", "needs", "tags", "loop", "protect", "vars")
BLOCK_KEYS = ("block", *SHARED_KEYS)
IMPORT_KEYS = ("import", *SHARED_KEYS)
FILE_KEYS = ("tasks", *SHARED_KEYS)
OUTPUTS_KEYS = ("outputs", "when", "vars")
ENTRY_KEYS = ("block", "import", "outputs")
"""Each makes an entry of a list of tasks something else than a task."""

FLOWS = "flows"
"""The key of an import that takes in the file of one name from the folder of every kind of workload."""

OMIT_NAME = "omit"
"""The variable whose value drops the key or the list entry that it is given to."""
