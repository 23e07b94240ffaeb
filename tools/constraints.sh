#!/usr/bin/env bash
# Installs the newest versions into an empty environment and writes them to constraints.txt. Run the suite before committing the result.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${1:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check '.[dev]'
{
  echo "# Every version that the suite has passed with. Remake it with: make constraints"
  "$scratch/venv/bin/python" -m pip freeze --exclude xrm
} > constraints.txt
echo "$(grep -c == constraints.txt) versions pinned."
