#!/usr/bin/env bash
# nbval 0.11.0: one cell that takes too long is told as many failures, where pytest is strict about xfail.
#
# A notebook of six cells; the second sleeps longer than --nbval-cell-timeout. nbval interrupts it, marks every later cell
# as expected to fail, and runs them all the same. Those that need nothing of the second cell pass. Under
# `xfail_strict = true` each of them is then a failure of its own, "[XPASS(strict)]", that names neither cell nor cause.
#
# Seen on 2026-11-27 with Python 3.11.7, pytest 9.2.0, nbval 0.11.0, ipykernel 7.4.0:
#   xfail_strict = false: 1 failed
#   xfail_strict = true: 5 failed, 8 lines name XPASS(strict)
#
# Needs python3 with venv and a package index. Fails if what is seen changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pytest==9.2.0 nbval==0.11.0 ipykernel==7.4.0 nbformat==5.10.4
venv/bin/python - <<'MAKE'
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

cells = ["a = 1", "import time; time.sleep(60)", "a + 1", "a + 2", "a + 3", "a + 4"]
nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), "six.ipynb")
MAKE
told() {
    printf '[pytest]\nxfail_strict = %s\n' "$1" > pytest.ini
    venv/bin/python -m pytest -p no:cacheprovider --nbval-lax --nbval-current-env --nbval-cell-timeout=3 -rA six.ipynb > "seen-$1" 2>&1 || true
    grep -oE "[0-9]+ failed" "seen-$1" | tail -n 1
}
lax=$(told false)
strict=$(told true)
unexpected=$(grep -c "XPASS(strict)" seen-true || true)
echo "xfail_strict = false: $lax"
echo "xfail_strict = true: $strict, $unexpected lines name XPASS(strict)"
[ "$lax" = "1 failed" ] && [ "$strict" = "5 failed" ] && [ "$unexpected" -ge 4 ]
