#!/usr/bin/env bash
# The whole product as a page of commands, on an invented shop in a temporary folder: about 5 minutes on two cores.
#   runs/small.sh            uses `mercer` from the path, or from .venv
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -d .venv/bin ]; then PATH="$PWD/.venv/bin:$PATH"; fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# 1. A shop: raw files as a shop would send them, one row in fifty spoilt, and mercer.toml that says how to read them.
mercer init shop --sample --dirt 0.02 --yes
head -20 shop/mercer.toml

# 2. Can the data be trusted? What cannot goes to quarantine with its reason; exit code 1 if the gate closes.
mercer check shop
mercer quarantine shop list --check E03 --limit 5
mercer check shop --json > check.json
row="$(mercer quarantine shop list --check E02 --limit 1 --json | python -c 'import json, sys
print(json.load(sys.stdin)["rows"][0]["row_hash"])')"
mercer quarantine shop explain "$row"
mercer quarantine shop restore "$row"
mercer check shop

# 3. Index: what each product means, and its words. A second build encodes only what has changed.
mercer index shop
mercer index shop

# 4. Is it any good? Words, meaning and both, with intervals and paired tests; then recommendation on held-out choices.
mercer measure search shop --gains 3=1,2=.5,1=.1,0=0 --metric nDCG@10 --metric Recall@100
mercer measure recommend shop

# 5. Ask it.
mercer search shop 红色连衣裙 -k 5 --explain
mercer search shop "steel bottle" -k 5 --filter price=10..200 --facet brand --sort price_up
mercer recommend shop -k 5
item="$(mercer search shop "steel bottle" -k 1 --json | python -c 'import json, sys
print(json.load(sys.stdin)["hits"][0]["id"])')"
mercer recommend shop --item "$item" --scene together -k 5
mercer recommend shop --seen "$item" --language zh -k 5

# 6. Another version: built beside the live one, published and taken back, each by one atomic rename.
printf '\n[retrieve.text]\ndescription = 0\n' >> shop/mercer.toml
mercer index shop --no-promote
mercer promote shop
mercer rollback shop

# 7. What is installed, on disk and live.
mercer doctor shop

# 8. Serve it: search, recommend, suggest, events, products and a storefront.
echo "to see a storefront: mercer demo"
