"""The script that begins a run in the client container: once, apart from whoever asked for it, its end in files."""

from __future__ import annotations

from collections.abc import Mapping

from ppmlctl.protection import ATTESTING_ACCOUNT, KEY_ACCOUNT, OF_ENTRYPOINT

NAME = "begin.sh"
LOG, BEGUN, STATUS = "log", "begun", "status"
"""Below the run's folder: what it wrote, the folder whose making is the beginning, and the exit status.
The run leads a process group, whose number is in the file `process` of the folder."""
LATE = "ppmlctl: it did not end within its deadline"
KMS_FOLDER = "/ppml/kms-secret"


def _pairs(account: Mapping[str, str]) -> str:
    """Each variable with its file; nothing runs the image's entrypoint here."""
    return " ".join(f"{name}:{file}" for name, file in account.items() if name not in OF_ENTRYPOINT)


BEGIN_SCRIPT = f"""\
#!/bin/bash
# Begins one run in its folder, once: whoever makes the folder `{BEGUN}` is the one that does it.
here=$(dirname "$0")
mkdir "$here/{BEGUN}" 2>/dev/null || exit 0
echo $$ >"$here/{BEGUN}/process"
names=
[ "${{ATTESTATION:-}}" != true ] || names="{_pairs(ATTESTING_ACCOUNT)}"
[ "${{ENCRYPTED_FSD:-}}" != true ] || names="$names {_pairs(KEY_ACCOUNT)}"
for pair in $names; do
    file={KMS_FOLDER}/${{pair#*:}}
    [ ! -f "$file" ] || export "${{pair%%:*}}=$(cat "$file")"
done

# Whoever ends the run, or its deadline, ends this whole process group; this one stays to write down how it ended.
trap : TERM
(
    sleep "$PPMLCTL_DEADLINE" || exit
    echo "{LATE} of $PPMLCTL_DEADLINE s" >>"$here/{LOG}"
    kill -- -$$
) 2>/dev/null &
bash "$here/submit.sh" "$@" >>"$here/{LOG}" 2>&1
echo $? >"$here/{STATUS}.new"
mv "$here/{STATUS}.new" "$here/{STATUS}"
trap '' TERM
kill -- -$$ 2>/dev/null
exit 0
"""
